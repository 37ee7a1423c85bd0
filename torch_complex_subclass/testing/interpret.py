"""The compile path without code generation: the rewritten graph, run op by op.

Compiling C++ for a case takes seconds; running the graph that Inductor would lower takes none and
checks everything that this package decides.
"""

from __future__ import annotations

from typing import Any

from torch import fx

from torch_complex_subclass import blocks, boundary_pass, report
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.backend import enabled


def interpreted(gm: fx.GraphModule, example_inputs: Any) -> Any:
    """Backend for `torch.compile`: trace and rewrite as for Inductor, then interpret.

    Raises what the rewritten graph raises. A rule that fails is an error here, where the graph
    pass of the compile path would keep the complex kernel.
    """

    def rewrite(graph: fx.Graph) -> None:
        blocks.mark_reads(graph)
        found = boundary_pass.rewrite(graph, compat.select_decompositions())
        graph.lint()
        report.publish(found)
        broken = [e for e in found.entries if e.reason.startswith("the rule")]
        if broken:
            raise AssertionError("; ".join(f"{e.op}: {e.reason}" for e in broken))

    with enabled():
        return compat.interpret_with_aot(gm, example_inputs, rewrite)


def rewritten(gm: fx.GraphModule) -> str:
    """Rewrite the graph of an aten-level module and return it as text, for goldens."""
    boundary_pass.rewrite(gm.graph, compat.select_decompositions())
    gm.graph.lint()
    return "\n".join(map(_line, gm.graph.nodes))


def _line(node: fx.Node) -> str:
    """One node as `name = op(arguments)`, without namespaces and default overloads."""
    args = [str(a) for a in node.args] + [f"{k}={v}" for k, v in node.kwargs.items()]
    if node.op != "call_function":
        return f"{node.name} = {node.op}" if node.op != "output" else f"return {', '.join(args)}"
    op = str(node.target).removesuffix(".default").split(".", 1)[-1]
    return f"{node.name} = {op}({', '.join(args)})"
