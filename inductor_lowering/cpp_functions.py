"""Functions that rules need in vector code, other than ATen's vectors have them.

* `copysign` by bit operations. ATen calls a function of SLEEF, which saves every vector register in
  use to memory; rules give zeros their sign by it, many times in a fused kernel.
* Sine and cosine of float32 within 1 ulp (SLEEF's u10) on AVX2 and AVX-512. ATen calls those within
  3.5 ulp there, which alone would take most of a rule's bound. Angles from 125 to 2^22 are reduced
  in float64 first: SLEEF's accurate functions reduce them by the table for all of the range (Payne,
  Hanek), at five times the cost.
* The bits of a number as an integer, and back, in a register. Inductor takes them through memory,
  one by one.
* Conjunction and disjunction of two masks as they are. Inductor converts them to masks of 32 bits
  first and the result back, which for comparisons of float64 takes longer than the comparisons.

Applies only to graphs with complex values. A `Vectorized` with these would make this file
unnecessary.
"""

from __future__ import annotations

import math
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


# With k a whole number, or a half more for the cosine, and r = x - k pi in float64 (Cody and Waite,
# 1980: pi in two words, fused, so k pi loses nothing), the result is sin(r) but for the sign, which
# changes with each half turn. The argument of the sine is r with that sign.
_ANY_ANGLE = """[](at::vec::Vectorized<float> x) {{
    using Single = at::vec::Vectorized<float>;
    using Double = at::vec::Vectorized<double>;
    auto size = x.abs();
    if ((size < Single(125.0f)).zero_mask() == 0 || (size < Single(4194304.0f)).zero_mask() != 0)
        return Single(Sleef_{name}f{lanes}_u10(x));
    auto wide = at::vec::convert<double, 2, float, 1>(x);
    for (int i = 0; i < 2; i++) {{
        auto whole = (wide[i] * Double({inverse}) - Double({shift})).round();
        auto turns = whole + Double({shift});
        auto rest = at::vec::fmadd(turns, Double(-{high}), wide[i]);
        rest = at::vec::fmadd(turns, Double(-{low}), rest);
        auto odd = whole - Double(2.0) * (whole * Double(0.5)).floor();
        wide[i] = rest * ({sign}Double(1.0) {flip} Double(2.0) * odd);
    }}
    return Single(Sleef_sinf{lanes}_u10(at::vec::convert<float, 1, double, 2>(wide)));
}}({x})"""
_HALF_TURNS = {
    "sin": {"shift": 0.0, "sign": "", "flip": "-"},
    "cos": {"shift": 0.5, "sign": "-", "flip": "+"},
}
_PI = (math.pi, 1.2246467991473532e-16)  # the second is what sin(pi) of the first gives


def _within_one_ulp(name: str, stock: Callable[[Any], str]) -> Callable[[Any], str]:
    def function(x: Any) -> str:
        kernel = V.kernel
        lanes = next((n for isa, n in _LANES if isinstance(kernel.vec_isa, isa)), 0)
        single = x.dtype == torch.float32 and kernel._get_num_vectors(x.dtype) == 1
        if not (lanes and single and interleaved.has_complex_values(V.graph)):
            return stock(x)
        high, low = _PI
        code = _ANY_ANGLE.format(
            x=x, name=name, lanes=lanes, inverse=1 / high, high=high, low=low, **_HALF_TURNS[name]
        )
        return " ".join(code.split())

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
