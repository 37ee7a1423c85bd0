"""Sine and cosine of float32 in vector code, both at once and within 0.76 ulp.

ATen calls functions of SLEEF: one for each, within 3.5 ulp, or within 1 ulp at three times the
time, and much slower for angles above 125, which these reduce by a table. A rule mostly needs sine
and cosine of one angle. Here the angle is reduced once: with q the integer nearest to x / (pi/2),
r = x - q pi/2, then a polynomial in r^2 for each, exchanged and negated by the last two bits of q.

Up to 1600 all is in float32, and the sign of x is set last. pi/2 is the sum of three words, of 24,
14 and 24 digits. The product of q and the first is subtracted without an error, since what is left
has no digits below 2^-24; the error of subtracting the second is exact too for q up to 2^10 (a sum
by Dekker: what is left of the angle, where it is the smaller one, has the digits of both), and
enters the results with the third as a lower word. The rounding of r^2 enters the cosine. The
polynomials are off by 2^-27.6 of the sine and 2^-30.2 of the cosine (minimax on |r| <= 1.01 pi/4,
computed with mpmath). Measured: 0.753 ulp on 2 10^7 values, 0.501 on the 400 numbers around each
multiple of pi/2.

Larger angles are reduced in float64, with pi/2 in two words: r is off by 2^-53 of itself and q
1.5e-33, less than 2e-21 for |x| <= 2^40, the polynomials by 2^-35.7 and 2^-32.3. Measured: 0.503
ulp on 2 10^7 values and on the numbers next to the first 4 10^6 multiples of pi/2. Beyond 2^40
SLEEF's functions within 1 ulp are called. A vector goes there if one of its numbers does, which
changes no other: no result depends on its neighbours. sin(-0) is -0; an infinity and NaN give NaN.

Reference: W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980 (reduction);
T. J. Dekker, A floating-point technique for extending the available precision, 1971.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch._inductor import cpu_vec_isa
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved


class _Isa(NamedTuple):
    """What ATen's vectors have no words for."""

    lanes: int
    low: str
    high: str
    join: str
    larger: str
    some: str
    odd: str
    choose: str


_AVX512 = _Isa(
    lanes=16,
    low="_mm512_cvtps_pd(_mm512_castps512_ps256({0}))",
    high="_mm512_cvtps_pd(_mm512_extractf32x8_ps({0}, 1))",
    join="_mm512_insertf32x8("
    "_mm512_castps256_ps512(_mm512_cvtpd_ps({0})), _mm512_cvtpd_ps({1}), 1)",
    larger="_mm512_cmp_ps_mask({0}, {1}, _CMP_GT_OQ)",
    some="{0} != 0",
    odd="_mm512_test_epi32_mask({0}, _mm512_set1_epi32(1))",
    choose="_mm512_mask_blend_ps({0}, {1}, {2})",
)
_AVX2 = _Isa(
    lanes=8,
    low="_mm256_cvtps_pd(_mm256_castps256_ps128({0}))",
    high="_mm256_cvtps_pd(_mm256_extractf128_ps({0}, 1))",
    join="_mm256_set_m128(_mm256_cvtpd_ps({1}), _mm256_cvtpd_ps({0}))",
    larger="_mm256_cmp_ps({0}, {1}, _CMP_GT_OQ)",
    some="_mm256_movemask_ps({0}) != 0",
    odd="_mm256_castsi256_ps(_mm256_slli_epi32({0}, 31))",
    choose="_mm256_blendv_ps({1}, {2}, {0})",
)

# 0x1.8p23 and 0x1.8p52 bring the integer nearest to a smaller number to the end of their sum.
_WIDE = """using wide = at::vec::Vectorized<double>;
using bits = at::vec::Vectorized<int64_t>;
auto wide_sine_and_cosine = [](const wide& x) {{
const wide shifted = at::vec::fmadd(x, wide(0x1.45f306dc9c883p-1), wide(0x1.8p52));
const wide q = shifted - wide(0x1.8p52);
wide r = at::vec::fmadd(q, wide(-0x1.921fb54442d18p+0), x);
r = at::vec::fmadd(q, wide(-0x1.1a62633145c07p-54), r);
const wide z = r * r;
wide s(2.7249620080075330e-6), c(2.4463452663505289e-5);
s = at::vec::fmadd(s, z, wide(-1.9840084376422704e-4));
c = at::vec::fmadd(c, z, wide(-1.3887586565783844e-3));
s = at::vec::fmadd(s, z, wide(8.3333318703413485e-3));
c = at::vec::fmadd(c, z, wide(4.1666650596550342e-2));
s = at::vec::fmadd(s, z, wide(-1.6666666663844049e-1));
c = at::vec::fmadd(c, z, wide(-4.9999999968995892e-1));
s = r * at::vec::fmadd(s, z, wide(1.0));
c = at::vec::fmadd(c, z, wide(1.0));
const bits n = __builtin_bit_cast(bits, shifted);
const wide odd = __builtin_bit_cast(wide, (n & bits(1)) == bits(1));
const wide negative_sine = __builtin_bit_cast(wide, (n & bits(2)) << bits(62));
const wide negative_cosine = __builtin_bit_cast(wide, ((n + bits(1)) & bits(2)) << bits(62));
return std::make_pair(
wide::blendv(s, c, odd) ^ negative_sine, wide::blendv(c, s, odd) ^ negative_cosine);
}};
const auto low = wide_sine_and_cosine({low}), high = wide_sine_and_cosine({high});
narrow s({join_sines}), c({join_cosines});
const auto beyond = {beyond_wide};
if ({some_beyond}) {{
s = {sleef_sine};
c = {sleef_cosine};
}}
sine = {wide_sine};
cosine = {wide_cosine};
"""

_CODE = """[&]() {{
using narrow = at::vec::Vectorized<float>;
using bits32 = at::vec::Vectorized<int32_t>;
const narrow x = {x};
const narrow size = x.abs(), sign = x & narrow(-0.0f);
const narrow shifted = at::vec::fmadd(size, narrow(0x1.45f306p-1f), narrow(0x1.8p23f));
const narrow q = shifted - narrow(0x1.8p23f);
const narrow left = at::vec::fmadd(q, narrow(-0x1.921fb6p+0f), size);
const narrow r = at::vec::fmadd(q, narrow(0x1.7778p-25f), left);
const narrow below = at::vec::fmadd(q, narrow(0x1.2e7b96p-40f),
at::vec::fmadd(q, narrow(0x1.7778p-25f), left - r));
const narrow z = r * r, half = narrow(-0.5f) * z, one(1.0f);
narrow s(-0x1.9920c2p-13f), c(0x1.99cb80p-16f);
s = at::vec::fmadd(s, z, narrow(0x1.1106d4p-7f));
c = at::vec::fmadd(c, z, narrow(-0x1.6c0bc4p-10f));
s = at::vec::fmadd(s, z, narrow(-0x1.555544p-3f));
c = at::vec::fmadd(c, z, narrow(0x1.55554ap-5f));
s = r + at::vec::fmadd(r * z, s, at::vec::fmadd(below, half, below));
const narrow head = one + half;
const narrow rest = at::vec::fmadd(narrow(-0.5f), at::vec::fmsub(r, r, z), (one - head) + half);
c = head + (at::vec::fmadd(z * z, c, rest) - r * below);
const bits32 n = __builtin_bit_cast(bits32, shifted);
const auto odd = {odd};
const auto negative_sine = __builtin_bit_cast(narrow, (n & bits32(2)) << bits32(30));
const auto negative_cosine =
__builtin_bit_cast(narrow, ((n + bits32(1)) & bits32(2)) << bits32(30));
narrow sine = narrow({sine}) ^ negative_sine ^ sign;
narrow cosine = narrow({cosine}) ^ negative_cosine;
const auto large = {beyond_narrow};
if (C10_UNLIKELY({some_large})) {{
{wide}}}
return std::make_pair(sine, cosine);
}}()"""


def _isa(kernel: Any) -> _Isa | None:
    if isinstance(kernel.vec_isa, cpu_vec_isa.VecAVX512):
        return _AVX512
    return _AVX2 if isinstance(kernel.vec_isa, cpu_vec_isa.VecAVX2) else None


def _both(x: Any, isa: _Isa) -> str:
    sleef = f"Sleef_{{}}f{isa.lanes}_u10(x)"
    wide = _WIDE.format(
        low=isa.low.format("x"),
        high=isa.high.format("x"),
        join_sines=isa.join.format("low.first", "high.first"),
        join_cosines=isa.join.format("low.second", "high.second"),
        beyond_wide=isa.larger.format("size", "narrow(0x1p40f)"),
        some_beyond=isa.some.format("beyond"),
        sleef_sine=isa.choose.format("beyond", "s", sleef.format("sin")),
        sleef_cosine=isa.choose.format("beyond", "c", sleef.format("cos")),
        wide_sine=isa.choose.format("large", "sine", "s"),
        wide_cosine=isa.choose.format("large", "cosine", "c"),
    )
    return _CODE.format(
        x=x,
        wide=wide,
        beyond_narrow=isa.larger.format("size", "narrow(1600.0f)"),
        some_large=isa.some.format("large"),
        odd=isa.odd.format("n"),
        sine=isa.choose.format("odd", "s", "c"),
        cosine=isa.choose.format("odd", "c", "s"),
    )


def function(name: str, stock: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return `sin` or `cos` for vector code of graphs with complex values."""
    part = {"sin": "first", "cos": "second"}[name]

    def compute(x: Any) -> str:
        kernel = V.kernel
        isa = _isa(kernel)
        single = x.dtype == torch.float32 and kernel._get_num_vectors(x.dtype) == 1
        if isa is None or not single or not interleaved.has_complex_values(V.graph):
            return stock(x)
        both = kernel.cse.generate(kernel.compute, _both(x, isa), dtype=x.dtype)
        return f"{both}.{part}"

    compute.__name__ = name
    return compute
