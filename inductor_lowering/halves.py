"""Vector loads of pairs of bfloat16, as of queries and keys that a rotary embedding turns.

A pair is one 32-bit word, and a bfloat16 the upper half of a float32 with the same value: a shift
and a mask make both parts float32, exactly. ATen's deinterleave of 16-bit numbers goes through
memory on x86.
"""

from __future__ import annotations

from typing import Any

import torch

_CODE = """[&]() {{
using words = at::vec::Vectorized<int32_t>;
using wide = at::vec::VectorizedN<float, 2>;
const auto low = words::loadu({pointer}), high = words::loadu({pointer} + 2 * words::size());
const words upper(static_cast<int32_t>(0xffff0000)), half(16);
auto number = [](const words& w) {{ return __builtin_bit_cast(at::vec::Vectorized<float>, w); }};
auto narrowed = [](const wide& x) {{ return at::vec::convert<at::BFloat16, 1, float, 2>(x); }};
return std::make_pair(
narrowed(wide(number(low << half), number(high << half))),
narrowed(wide(number(low & upper), number(high & upper))));
}}()"""


def fill_vectors(kernel: Any) -> bool:
    """True where a loop takes as many bfloat16 at a time as fit into a vector, and no tail."""
    return kernel._get_raw_num_vectors(torch.bfloat16) == 1 and not kernel.tail_size


def load_code(pointer: str) -> str:
    """Both parts, each a vector of bfloat16, of the pairs from `pointer` on."""
    return _CODE.format(pointer=pointer)
