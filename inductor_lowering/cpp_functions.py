"""Functions that rules need in vector code, other than ATen's vectors have them.

* `copysign` by bit operations. ATen calls a function of SLEEF, which saves every vector register in
  use to memory; rules give zeros their sign by it, many times in a fused kernel.
* Sine and cosine of float32 within 1 ulp (SLEEF's u10) on AVX2 and AVX-512. ATen calls those within
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
from torch._inductor import cpu_vec_isa
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved

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
        return f"c10::bit_cast<at::vec::{vectors}>({x})"

    return to_dtype_bitcast


def _of_masks(sign: str, stock: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    def function(a: Any, b: Any) -> str:
        if a.dtype != torch.bool or not interleaved.has_complex_values(V.graph):
            return stock(a, b)
        return f"({a} {sign} {b})"

    function.__name__ = stock.__name__
    return function


_LANES = ((cpu_vec_isa.VecAVX512, 16), (cpu_vec_isa.VecAVX2, 8))


def _within_one_ulp(name: str, stock: Callable[[Any], str]) -> Callable[[Any], str]:
    def function(x: Any) -> str:
        kernel = V.kernel
        lanes = next((n for isa, n in _LANES if isinstance(kernel.vec_isa, isa)), 0)
        single = x.dtype == torch.float32 and kernel._get_num_vectors(x.dtype) == 1
        if not (lanes and single and interleaved.has_complex_values(V.graph)):
            return stock(x)
        return f"at::vec::Vectorized<float>(Sleef_{name}f{lanes}_u10({x}))"

    function.__name__ = name
    return function


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    found: list[tuple[str, Any]] = [
        ("copysign", _copysign(Overrides.copysign)),
        ("to_dtype_bitcast", _bitcast(Overrides.to_dtype_bitcast)),
        ("sin", _within_one_ulp("sin", Overrides.sin)),
        ("cos", _within_one_ulp("cos", Overrides.cos)),
    ]
    for sign, kind in (("&", "and"), ("|", "or")):
        for name in (f"bitwise_{kind}", f"logical_{kind}"):
            found.append((name, _of_masks(sign, getattr(Overrides, name))))
    return [(Overrides, name, staticmethod(function)) for name, function in found]
