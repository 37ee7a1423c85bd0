"""The graph pass: complex values of a compiled graph become pairs of real ones.

It runs on the graph that AOTAutograd traced (inference or joint), after functionalization and
before partitioning, node by node.

Invariants:

1. A node without complex values is left as it is, but for those of moduli.py and joined.py.
2. A complex node whose op has a rule is replaced by the nodes that the rule records; values are
   those of the same rule in eager. Every other one keeps its op and its complex kernel.
3. Complex memory is read through a real view of it and written once, interleaved, with the strides
   of the traced value. Only results, mutated inputs and operands of kept nodes are written.
4. A value with the conj bit has it again where it leaves the graph, but for gradients; inside, the
   sign is folded into the kernels that read it. Inputs with the neg bit are read correctly too.
5. A mutated input is written in place, after everything that reads it.
6. A result that is a view of an input, or of a value that another result is or views, shares its
   memory, as traced; not so one that `view.dtype` made of a computed value.
7. The result has the dtype and shape of the traced value, or the node is kept.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from torch_complex_subclass import (
    changed_inputs,
    computed_rows,
    data_sized,
    dispatch,
    gradients,
    imaginary,
    library_calls,
    library_products,
    moduli,
    narrow_products,
    negated_inputs,
    reinterpret,
    repeated_results,
    routes,
)
from torch_complex_subclass import torch_compat as compat
from torch_complex_subclass.agreement import as_tensors, difference
from torch_complex_subclass.decompositions import linalg
from torch_complex_subclass.decompositions.registry import Interleaved, Kind, Pair, Rule
from torch_complex_subclass.dtypes import STORED_ONLY, has_complex, is_stored_only
from torch_complex_subclass.known_zeros import is_zero
from torch_complex_subclass.merged_dims import split_rule
from torch_complex_subclass.real_views import RealViews
from torch_complex_subclass.recorder import RECORDED, Recorder
from torch_complex_subclass.report import Report
from torch_complex_subclass.traced_strides import TracedStrides
from torch_complex_subclass.values import Values, without_bits

aten = torch.ops.aten


def is_concerned(graph: fx.Graph) -> bool:
    """True when the pass has something to do: a complex value, one of ours, or a neg bit."""
    values = [node.meta.get("val") for node in graph.nodes]
    is_ours = any(RECORDED in node.meta for node in graph.nodes)
    return is_ours or any(has_complex(v) or (isinstance(v, Tensor) and v.is_neg()) for v in values)


def rewrite(graph: fx.Graph, decompositions: dict[Any, Callable[..., Any]]) -> Report:
    """Rewrite `graph` in place and say what became of its complex nodes."""
    report = Report()
    fake_mode = compat.fake_mode_of(graph)
    if fake_mode is None or not is_concerned(graph):
        return report
    changed_inputs.save_copies(graph)
    with compat.no_dispatch_modes(), torch.no_grad(), fake_mode:
        moduli.simplify_gradients(graph)
        _Rewriter(graph, Recorder(graph, fake_mode, decompositions), report).run()
    return report


class _Rewriter:
    def __init__(self, graph: fx.Graph, recorder: Recorder, report: Report) -> None:
        self.graph = graph
        self.report = report
        self.recorder = recorder
        self.values = Values(recorder)
        self.changed_inputs = changed_inputs.ChangedInputs(graph, recorder)
        self.negated_inputs = negated_inputs.NegatedInputs(graph, recorder)
        self.traced_strides = TracedStrides(recorder)
        self.tuples: dict[fx.Node, Any] = {}
        self.replaced: list[fx.Node] = []
        # Values whose memory several results show or that are stored before a write, with views.
        self.shared = reinterpret.shared(graph) | self.changed_inputs.stored_before
        self.real_views = RealViews(graph, self.values, recorder, self.shared)
        self.squares = moduli.squares(graph)
        self.summed = computed_rows.products(graph)
        self.gradients = gradients.among_results(graph)

    def run(self) -> None:
        nodes = list(self.graph.nodes)
        order = {node: i for i, node in enumerate(nodes)}
        body = next(node for node in nodes if node.op != "placeholder")
        for node in nodes:
            self.recorder.see(node)
            self.recorder.inherit(node)
            before = node
            if node.op == "placeholder":
                # Placeholders stay together, as other passes expect.
                before = body if order[node] < order[body] else node.next
            elif node.op == "get_attr":
                before = node.next
            with self.graph.inserting_before(before):
                self._visit(node)
                if node in self.shared and self.values.holds(node):
                    self.values.stored(node)
        for node in reversed(self.replaced):
            self.graph.erase_node(node)
        changed_inputs.keep_complex_memory(self.graph, self.recorder)
        self.recorder.erase_unused()
        self.changed_inputs.save_what_reads(self.graph)

    def _enter(self, node: fx.Node) -> None:
        value = node.meta.get("val")
        if not isinstance(value, Tensor):
            return
        constant = compat.constant_of(node)
        if value.is_complex() and constant is not None:
            with compat.no_dispatch_modes():
                real = torch.view_as_real(constant.resolve_conj()).clone()
            self.values.set_interleaved(node, self.recorder.emit_lifted(real))
            self.replaced.append(node)
        elif value.is_complex():
            self.values.set_stored(node, node, may_be_conj=compat.is_tangent(node))
        elif compat.is_tangent(node):
            plain = without_bits(node, self.recorder)
            node.replace_all_uses_with(plain, delete_user_cb=lambda user: user is not plain)
        elif value.is_neg():
            self.negated_inputs.enter(node)

    def _visit(self, node: fx.Node) -> None:
        if node.op in ("placeholder", "get_attr"):
            self._enter(node)
            return
        reading = self.real_views.reading(node)
        if isinstance(reading, Pair):
            self._set_unstored(node, None, reading)
            return
        if reading is not None:
            self._assign(node, reading)
            return
        self.real_views.store_read_by(node)
        if node.op == "output":
            traced = pytree.tree_leaves(node.args)
            self._store_operands(node)
            repeated_results.keep_apart(node, traced, self.gradients, self.recorder)
            self.negated_inputs.show(node)
        elif node.target is operator.getitem and node.args[0] in self.tuples:
            self._assign(node, self.tuples[node.args[0]][node.args[1]])  # type: ignore[index]
        elif self.negated_inputs.write(node):
            self.replaced.append(node)
        elif node in self.squares:
            z = self._operand(self.squares[node])
            self._assign(node, moduli.square(z, node.target, self.recorder))
        elif is_stored_only(node.meta.get("val")) and node.target is not aten.copy_.default:
            self._keep(node, None, STORED_ONLY)
        elif has_complex(node.meta.get("val")) or any(map(self.values.holds, node.all_input_nodes)):
            self._rewrite(node)
        elif shorter := self.values.joined.shorter(node):
            self._assign(node, shorter)
        else:
            self.traced_strides.follow(node)

    def _assign(self, node: fx.Node, result: Any) -> None:
        """Make `result`, a pair of nodes, a node or a list of them, the value of `node`."""
        result = self.changed_inputs.before(node, result)
        if isinstance(result, Pair):
            self.values.set_pair(node, self.traced_strides.without_overlap(node, result))
        elif isinstance(result, Interleaved):
            self.values.set_interleaved(node, result.memory)  # type: ignore[arg-type]
        elif isinstance(result, fx.Node):
            node.replace_all_uses_with(self.traced_strides.settle(node, result))
        else:
            self.tuples[node] = result
        self.replaced.append(node)

    def _rewrite(self, node: fx.Node) -> None:
        special_cases: dict[Any, Callable[[fx.Node], None]] = {
            aten.copy_.default: self._write,
            aten.sym_size.int: self._size,
            aten.sym_storage_offset.default: self._size,
            aten.sym_stride.int: self._size,
            aten.view_as_complex.default: self._view_as_complex,
            aten.view_as_real.default: self._view_as_real,
        }
        if node.target in special_cases:
            special_cases[node.target](node)
            return
        real_factor = routes.is_product(node) and any(map(self._is_real, node.all_input_nodes))
        affine = None if real_factor else routes.split_affine(node)
        if affine is not None:
            self._rewrite_affine(node, affine)
            return
        select = data_sized.selection(node)
        if select is not None:
            self._assign(node, self._nodes_of(select(node, self.recorder, self._operand)))
            self.report.add(node, "fused", "")
            return
        rule = dispatch.lookup(node.target)
        if rule is not None and rule.kind is Kind.MEMORY:
            reason = self._reinterpret(node, rule)
        else:
            own = split_rule(node, rule)
            if own is rule:
                own = self._special(node, own, real_factor)
            kept = not real_factor and own is rule and library_calls.reason_to_keep(node, rule)
            reason = kept or self._apply(node, own)
        if reason:
            self._keep(node, rule, reason)

    def _special(self, node: fx.Node, rule: Rule | None, real_factor: bool) -> Rule | None:
        """Return the rule, or one that is shorter for what is known of the operands."""
        if rule is None:
            return None
        is_summed = node in self.summed
        sums = linalg.vector_product if is_summed else narrow_products.sums(node, real_factor)
        if sums is not None:
            return routes.written_out(rule, sums)
        return imaginary.shortened(node, rule, self.values.pair)

    def _reinterpret(self, node: fx.Node, rule: Rule) -> str:
        """Replace `node` by a view of real memory; return why not, if it cannot be."""
        result = reinterpret.apply(node, rule, self.values, self.recorder)
        if isinstance(result, str):
            return result
        self._assign(node, result)
        self.report.add(node, "fused", "")
        return ""

    def _size(self, node: fx.Node) -> None:
        """Ask a real part for its size; what only memory has is asked of a stored value."""
        base: fx.Node = node.args[0]  # type: ignore[assignment]
        if node.target is aten.sym_size.int and not self.values.is_stored(base):
            node.args = (self.values.pair(base).re, node.args[1])
        else:
            self._store_operands(node)

    def _write(self, node: fx.Node) -> None:
        target, source = node.args[:2]
        if not self.values.holds(target):  # type: ignore[arg-type]
            self._keep(node, None, "it discards an imaginary part")
            return
        self.values.write(target, source)  # type: ignore[arg-type]
        self.values.set_stored(node, target)  # type: ignore[arg-type]
        self.replaced.append(node)
        self.report.add(node, "fused", "")

    def _set_unstored(self, view: fx.Node, source: fx.Node | None, parts: Pair) -> None:
        self.real_views.add(view, source, parts)
        self.replaced.append(view)

    def _view_as_complex(self, node: fx.Node) -> None:
        real: Any = node.args[0]
        parts = None if node in self.shared else self.values.joined.parts(real)
        self._assign(node, parts or Interleaved(real))

    def _view_as_real(self, node: fx.Node) -> None:
        source: fx.Node = node.args[0]  # type: ignore[assignment]
        if self.values.is_in_memory(source):
            self._assign(node, self.values.interleaved(source))
        else:
            self._set_unstored(node, source, self.values.pair(source))

    def _rewrite_affine(self, node: fx.Node, split: routes.Affine) -> None:
        """Keep the product as a library call and fuse what is added to it."""
        factors = split.left, split.right
        product = library_products.parts(split.op, *factors, self.values, self.recorder)
        scalars = dispatch.tree_map(dispatch.split_number, [split.beta, split.alpha])
        parts = [self._operand(split.addend), Pair(*map(self.recorder.value, product))]
        with self.recorder:
            result = linalg.affine(*parts, *scalars)
        self._assign(node, self._nodes_of(result))
        self.report.add(node, "native", routes.REASON)

    def _operand(self, arg: Any) -> Any:
        """Turn nodes of the graph into what a rule takes: pairs and tensors, all fake."""
        if not isinstance(arg, fx.Node):
            return arg
        if self.values.holds(arg):
            return Pair(*(self.recorder.value(part) for part in self.values.pair(arg)))
        return self.recorder.value(arg)

    def _is_real(self, node: fx.Node) -> bool:
        """True for a complex value whose imaginary part is zero whatever the inputs are."""
        return self.values.holds(node) and is_zero(self.values.pair(node).im)

    def _factor(self, arg: Any) -> Any:
        """Turn an operand of a product into what its rule takes, a real tensor where it is one."""
        operand = self._operand(arg)
        return operand.re if isinstance(arg, fx.Node) and self._is_real(arg) else operand

    def _apply(self, node: fx.Node, rule: Rule | None) -> str:
        """Replace `node` by what the rule records; return why not, if it cannot be."""
        assert rule is not None
        operand = self._factor if routes.is_product(node) else self._operand
        args = dispatch.tree_map(operand, node.args)
        kwargs = dispatch.tree_map(self._operand, node.kwargs)
        since = len(self.recorder.created)
        try:
            with self.recorder:
                result = as_tensors(dispatch.apply(rule, args, kwargs), node.meta["val"])
        except Exception as error:  # the complex kernel is right whatever the rule ran into
            return f"the rule raised {type(error).__name__}: {error}"
        if result is NotImplemented and rule.reason:
            return rule.reason
        found = difference(result, node.meta["val"])
        if found:
            return found
        outputs = self._nodes_of(result)
        if rule.kind in (Kind.UNARY, Kind.ELEMENTWISE):
            self.recorder.mark_rule(node.target, since, pytree.tree_leaves(outputs))
        self._assign(node, outputs)
        self.report.add(node, "fused", "")
        return ""

    def _nodes_of(self, result: Any) -> Any:
        def convert(value: Any) -> Any:
            if isinstance(value, Pair):
                return Pair(*map(self.recorder.node_of, value))
            return value if isinstance(value, fx.Node) else self.recorder.node_of(value)

        return dispatch.tree_map(convert, result)

    def _keep(self, node: fx.Node, rule: Rule | None, reason: str) -> None:
        """Leave `node` to its complex kernel."""
        if reason == routes.REASON and (
            parts := library_products.parts_of_conjugates(node, self.values, self.recorder)
        ):
            self._assign(node, parts)
            self.report.add(node, "native", reason)
            return
        library_calls.ask_for_less(node, self.recorder)
        resolve = not library_calls.honours_conj_bit(node)
        resolved = resolve and any(map(self._is_conj, node.all_input_nodes))
        if reason == routes.REASON:
            node.args = fx.map_arg(node.args, lambda n: library_products.factor(n, self.values))
        else:
            self._store_operands(node, resolve=resolve)
        self._set_library_result(node, library_calls.planned_result(node, self.recorder, resolved))
        if node.target is not operator.getitem:
            chosen = node.target in library_calls.PLAIN_RESULTS or reason == data_sized.REASON
            by_rule = rule is not None and reason == rule.reason
            self.report.add(node, "native" if chosen or by_rule else "fallback", reason)

    def _is_conj(self, node: fx.Node) -> bool:
        return self.values.holds(node) and node.meta["val"].is_conj()

    def _set_library_result(self, node: fx.Node, planned: Any) -> None:
        """Say where the result of a kept node lies; `planned` has the strides it will have."""
        traced = node.meta.get("val")
        if not isinstance(traced, Tensor):
            node.meta["val"] = planned
            return
        if not traced.is_complex():
            return
        may_be_conj = node.target not in library_calls.PLAIN_RESULTS
        if planned.stride() == traced.stride():
            self.values.set_stored(node, node, may_be_conj=may_be_conj)
            return
        # Views in the traced geometry are made of a value that is stored in it.
        placed = library_calls.copy_with_value(node, planned)
        self.values.set_stored(placed, placed, may_be_conj=may_be_conj)
        self.values.set_pair(node, self.values.pair(placed))
        self.replaced.append(node)

    def _store_operands(self, node: fx.Node, resolve: bool = False) -> None:
        def store(arg: fx.Node) -> fx.Node:
            if not self.values.holds(arg):
                return arg
            if arg in self.gradients and node.op == "output":
                return self.values.returned(arg)
            return self.values.resolved(arg) if resolve else self.values.stored(arg)

        node.args = fx.map_arg(node.args, store)
        node.kwargs = fx.map_arg(node.kwargs, store)
