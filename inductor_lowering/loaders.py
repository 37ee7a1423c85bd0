"""Each value of a fused expression is traced once, however often it is used.

Inductor traces the body of a kernel by calling the expressions of its operands, each time it meets
them. A rule in twice the working precision uses every intermediate value several times, so the
number of calls grows exponentially with its length. Here the result of a call is kept as long as
the tracer that it was made by. Applies only to graphs with complex values.

An upstream `make_pointwise` that keeps what its operands gave would make this file unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch._inductor import ir
from torch._inductor.virtualized import NullHandler, V

from torch_complex_subclass.inductor_lowering import interleaved

_stock = ir.Pointwise.make_loader

_KEPT = "_torch_complex_subclass_kept"


def make_loader(self: Any) -> Callable[[Sequence[Any]], Any]:
    """Loader of a pointwise value that remembers what it gave to the tracer at work."""
    load = _stock(self)
    if not interleaved.has_complex_values(V.graph):
        return load

    def loader(index: Sequence[Any]) -> Any:
        # While a kernel is written, what a value is can depend on the mask around it.
        if not isinstance(V.kernel, NullHandler):
            return load(index)
        kept = V.get_ops_handler().__dict__.setdefault(_KEPT, {})
        key = (load, tuple(index))
        if key not in kept:
            kept[key] = load(index)
        return kept[key]

    return loader


def replacements() -> list[tuple[Any, str, Any]]:
    """Attributes of Inductor to set while enabled: owner, name, value."""
    return [(ir.Pointwise, "make_loader", make_loader)]
