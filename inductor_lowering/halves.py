"""Vector loads and stores of pairs of bfloat16, such as the elements of a bcomplex32.

A pair is one 32-bit word, and a bfloat16 the upper half of a float32 with the same value: a shift
and a mask make both parts float32, or two float32 one word, exactly. ATen's interleave of 16-bit
numbers goes through memory on x86.
"""

from __future__ import annotations

from typing import Any

import torch

_LOAD = """[&]() {{
using words = at::vec::Vectorized<int32_t>;
using wide = at::vec::VectorizedN<float, 2>;
const auto low = words::loadu({pointer}), high = words::loadu({pointer} + 2 * words::size());
const words upper(static_cast<int32_t>(0xffff0000)), half(16);
auto number = [](const words& w) {{ return __builtin_bit_cast(at::vec::Vectorized<float>, w); }};
return std::make_pair(
wide(number(low << half), number(high << half)),
wide(number(low & upper), number(high & upper)));
}}()"""

_STORE = """[&]() {{
using words = at::vec::Vectorized<int32_t>;
const auto re = at::vec::convert<float, 2, at::BFloat16, 1>({re});
const auto im = at::vec::convert<float, 2, at::BFloat16, 1>({im});
const words lower(0xffff), half(16);
auto bits = [](const at::vec::Vectorized<float>& x) {{ return c10::bit_cast<words>(x); }};
auto pairs = [&](int k) {{ return ((bits(re[k]) >> half) & lower) | bits(im[k]); }};
pairs(0).store({pointer});
pairs(1).store({pointer} + 2 * words::size());
}}();"""


def fill_vectors(kernel: Any) -> bool:
    """True where a loop takes as many bfloat16 at a time as fit into a vector, and no tail."""
    lanes: int = kernel.vec_isa.bit_width() // (8 * torch.bfloat16.itemsize)
    return bool(kernel.tiling_factor == lanes and not kernel.tail_size)


def load_code(pointer: str) -> str:
    """Both parts, each two vectors of float32, of the pairs from `pointer` on."""
    return _LOAD.format(pointer=pointer)


def store_code(pointer: str, re: Any, im: Any) -> str:
    """Write pairs from `pointer` on, given each part as a vector of bfloat16."""
    return _STORE.format(pointer=pointer, re=re, im=im)


def narrowed(kernel: Any, wide: Any, args: tuple[Any, ...]) -> Any:
    """The value `wide` in bfloat16, which it fits; conversion to float32 finds `wide` again."""
    code = kernel.get_to_dtype_expr(wide, torch.bfloat16, torch.float32)
    narrow = kernel.cse.generate(kernel.loads, code, dtype=torch.bfloat16)
    narrow.update_on_args("load", args, {})
    narrow.is_vec = True
    kernel.cache_dtype_convert(wide, torch.float32, narrow, torch.bfloat16)
    return narrow
