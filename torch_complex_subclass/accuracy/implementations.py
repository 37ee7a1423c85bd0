"""Who computes the functions: this package in two ways, and those it is measured beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import torch_compat
from torch_complex_subclass.testing.unary import parts_of, rules_by_name

Parts = list[Tensor]


@dataclass(frozen=True)
class Implementation:
    """Computes both parts of a function at points; None where it lacks the function."""

    title: str
    compute: Callable[[str, Tensor, Tensor], Parts | None]


def _ours(function: str, x: Tensor, y: Tensor) -> Parts:
    fn = rules_by_name()[function].fn
    assert fn is not None
    return parts_of(fn(x, y))


def _compiled(function: str, x: Tensor, y: Tensor) -> Parts:
    """Compile the op on a complex tensor, as a user does."""
    op = rules_by_name()[function].op

    def call(z: Tensor) -> Any:
        return op(z)

    torch.compiler.reset()
    compiled = torch.compile(call, backend="inductor_complex", fullgraph=True)
    return parts_of(compiled(torch.complex(x, y)))


def _eager(function: str, x: Tensor, y: Tensor) -> Parts:
    return parts_of(rules_by_name()[function].op(torch.complex(x, y)))


def _subclass(function: str, x: Tensor, y: Tensor) -> Parts | None:
    wrapped = torch_compat.upstream_complex_tensor()(x, y)
    try:
        result = rules_by_name()[function].op(wrapped)
    except (NotImplementedError, RuntimeError, TypeError):  # TypeError: no rule there
        return None
    return [result.re, result.im] if hasattr(result, "re") else [result]


# Names in NumPy where they differ from those in aten; None where it lacks the function.
_NUMPY = {"neg": "negative", "sgn": "sign", "rsqrt": None, "sigmoid": None, "silu": None}
_NUMPY |= {"_conj": "conj", "_conj_copy": "conj", "_conj_physical": "conj"}
_NUMPY |= {"conj_physical": "conj", "_neg_view_copy": "negative"}


def _numpy(function: str, x: Tensor, y: Tensor) -> Parts | None:
    import numpy as np

    name = _NUMPY.get(function, function)
    if name is None:
        return None
    with np.errstate(all="ignore"):
        result = getattr(np, name)(torch.complex(x, y).numpy())
    return parts_of(torch.from_numpy(result))


# The same for JAX, with the module below jax where it is not jax.numpy.
_JAX = {"rsqrt": "lax.rsqrt", "sigmoid": "nn.sigmoid", "silu": "nn.silu"}


def _jax(function: str, x: Tensor, y: Tensor) -> Parts:
    import jax
    import numpy as np

    name = _JAX.get(function) or f"numpy.{_NUMPY.get(function, function)}"
    fn: Any = jax
    for attribute in name.split("."):
        fn = getattr(fn, attribute)
    with jax.enable_x64(True):
        result = np.array(jax.jit(fn)(torch.complex(x, y).numpy()))
    return parts_of(torch.from_numpy(result))


IMPLEMENTATIONS = {
    "ours": Implementation("this package, eager", _ours),
    "compiled": Implementation("this package, compiled", _compiled),
    "eager": Implementation("eager torch", _eager),
    "numpy": Implementation("NumPy", _numpy),
    "jax": Implementation("JAX", _jax),
    "subclass": Implementation("the subclass inside torch", _subclass),
}
