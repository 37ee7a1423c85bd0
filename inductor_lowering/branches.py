"""A branch around what a rule computes for extraordinary numbers, in vector code.

A rule such as the exponential spends much of its time on infinities, NaN and results near overflow,
which hardly ever occur. It says so by `ordinarily`: a mask, values for where the mask holds, and
values for everywhere. All of it is traced, as `where(identity(mask), fast, otherwise)`, which is
right wherever it is computed as it stands. When a loop is written,

* vector code computes what leads to `otherwise` alone inside a branch, which a vector takes when
  one of its numbers is not ordinary;
* scalar C++ computes `otherwise`; so does Triton, where the lowering leaves the rest out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx
from torch._inductor import ir, loop_body
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.codegen.common import BracesBuffer
from torch._inductor.lowering import make_pointwise
from torch._inductor.virtualized import V, ops

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp

Choices = dict[fx.Node, tuple[fx.Node, fx.Node, fx.Node]]
"""Mask and values, where it holds and otherwise, of each choice of a loop's body."""


def choice(ordinary: ir.TensorBox, fast: ir.TensorBox, otherwise: ir.TensorBox) -> ir.TensorBox:
    """Lower the choice that `ordinarily` leaves to generated code."""
    device = ordinary.get_device()
    if device is None or device.type != "cpu":
        return otherwise
    lowered = make_pointwise(
        lambda m, a, b: ops.where(ops.identity(m), a, b), override_return_dtype=fast.get_dtype()
    )
    return lowered(ordinary, fast, otherwise)


def _choices(graph: fx.Graph) -> Choices:
    found = {}
    for node in graph.nodes:
        if node.op == "call_method" and node.target == "where":
            _, mask, fast, otherwise = node.args
            if isinstance(mask, fx.Node) and mask.target == "identity":
                found[node] = mask, fast, otherwise
    return found


class _Body(loop_body.InterpreterShim):
    """Writes the body of a loop, and for each choice what its kernel takes of it."""

    def __init__(self, block: Any, choices: Choices) -> None:
        super().__init__(block.graph, block.body.submodules)
        self._branches = isinstance(V.kernel, cpp.CppVecKernel)
        self._choices = choices

    def _operands(self, node: fx.Node) -> list[fx.Node]:
        """What has to be computed before a node."""
        if node not in self._choices:
            return node.all_input_nodes
        mask, fast, otherwise = self._choices[node]
        return [mask, fast] if self._branches else [otherwise]

    def _needed(self, nodes: list[fx.Node]) -> set[fx.Node]:
        found: set[fx.Node] = set()
        wanted = list(nodes)
        while wanted:
            node = wanted.pop()
            if node not in found and node not in self.env:
                found.add(node)
                wanted += self._operands(node)
        return found

    def _compute(self, wanted: list[fx.Node]) -> list[fx.Node]:
        """Compute nodes and what they need, in the order of the graph; return what was computed."""
        needed = self._needed(wanted)
        ordered = [node for node in self.graph.nodes if node in needed]
        for node in ordered:
            self.env[node] = self._value(node)
        return ordered

    def _value(self, node: fx.Node) -> Any:
        if node not in self._choices:
            return self.run_node(node)
        self.current_node = node
        mask, fast, otherwise = self._choices[node]
        if not self._branches:
            return self.env[otherwise]
        return self._branch(self.env[mask], self.env[fast], otherwise)

    def _branch(self, mask: Any, fast: Any, otherwise: fx.Node) -> Any:
        kernel = V.kernel
        if not mask.is_vec or not fast.is_vec:
            self._compute([otherwise])
            return self.env[otherwise]
        code = BracesBuffer()
        code.writeline("[&]")
        with kernel.swap_buffers(code), code.indent():
            code.writeline(f"if (C10_LIKELY({mask}.all_masked()))")
            with code.indent():
                code.writeline(f"return {fast};")
            inside = self._compute([otherwise])
            other = self.env[otherwise]
            for node in inside:  # names that end with the branch
                del self.env[node]
            code.writeline(f"return {kernel.overrides.where(mask, fast, other)};")
        code.writeline("()")
        result = kernel.cse.generate(kernel.compute, code, dtype=fast.dtype)
        result.update_on_args("where", (mask, fast, other), {})
        return result

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the handler of operations, the argument, for what the loop stores or returns."""
        with V.set_interpreter_handler(self):
            placeholder, *_ = self.graph.nodes
            (self.env[placeholder],) = args
            last = [node for node in self.graph.nodes if not node.users]
            self._compute(last)
        return self.env[last[-1]]


def _call(stock: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(self: Any) -> Any:
        choices = _choices(self.graph) if isinstance(V.kernel, cpp.CppKernel) else {}
        return _Body(self, choices).run(V.get_ops_handler()) if choices else stock(self)

    return call


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    block = loop_body.LoopBodyBlock
    return [(block, "__call__", _call(block.__call__))]
