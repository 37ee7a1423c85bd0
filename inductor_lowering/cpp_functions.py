"""Functions that rules need in vector code, other than ATen's vectors have them.

* `copysign` by bit operations. ATen calls a function of SLEEF, which saves every vector register in
  use to memory; rules give zeros their sign by it, many times in a fused kernel.
* Sine and cosine of float32 on AVX2 and AVX-512, computed together. ATen calls functions within
  3.5 ulp there, which alone would take most of a rule's bound.
* The bits of a number as an integer, and back, in a register. Inductor takes them through memory,
  one by one.
* Conjunction and disjunction of two masks as they are. Inductor converts them to masks of 32 bits
  first and the result back, which for comparisons of float64 takes longer than the comparisons.

Applies only to graphs with complex values. A `Vectorized` with these would make this file
unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved, sine

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp

Overrides = cpp.CppVecOverrides


def _copysign(stock: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    def copysign(a: Any, b: Any) -> str:
        if not interleaved.has_complex_values(V.graph):
            return stock(a, b)
        return f"(({a}).abs() | (({b}) & decltype({a})(-0.0)))"

    return copysign


def _bitcast(stock: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    def to_dtype_bitcast(x: Any, dtype: torch.dtype, src_dtype: torch.dtype) -> Any:
        if dtype.itemsize != src_dtype.itemsize or not interleaved.has_complex_values(V.graph):
            return stock(x, dtype, src_dtype)
        count, name = V.kernel._get_num_vectors(src_dtype), cpp.DTYPE_TO_CPP[dtype]
        vectors = f"Vectorized<{name}>" if count == 1 else f"VectorizedN<{name}, {count}>"
        return f"__builtin_bit_cast(at::vec::{vectors}, {x})"

    return to_dtype_bitcast


def _of_masks(sign: str, stock: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    def function(a: Any, b: Any) -> str:
        if a.dtype != torch.bool or not interleaved.has_complex_values(V.graph):
            return stock(a, b)
        return f"({a} {sign} {b})"

    function.__name__ = stock.__name__
    return function


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    found: list[tuple[str, Any]] = [
        ("copysign", _copysign(Overrides.copysign)),
        ("to_dtype_bitcast", _bitcast(Overrides.to_dtype_bitcast)),
        ("sin", sine.function("sin", Overrides.sin)),
        ("cos", sine.function("cos", Overrides.cos)),
    ]
    for sign, kind in (("&", "and"), ("|", "or")):
        for name in (f"bitwise_{kind}", f"logical_{kind}"):
            found.append((name, _of_masks(sign, getattr(Overrides, name))))
    return [(Overrides, name, staticmethod(function)) for name, function in found]
