"""Vector loads of interleaved memory that a mask says to read in part.

A slice that is written into, a padding or a concatenation reads each operand under a mask, where
there may be no memory behind the other lanes. Stock Inductor gathers strided lanes one by one. Here
the mask is interleaved with itself and guards whole vectors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._inductor.codegen.cpp_utils import DTYPE_TO_CPP, cexpr_index

from torch_complex_subclass.inductor_lowering import gathers, vectors

_BOTH = """[&]() {{
auto lanes = {mask}[0];
{ending}auto twice = at::vec::interleave2(lanes, lanes);
auto low = at::vec::VecMask<float,1>(twice.first).template loadu<{type},{vectors}>({pointer});
auto high = at::vec::VecMask<float,1>(twice.second)
.template loadu<{type},{vectors}>({pointer} + {lanes});
{separated}
}}()"""

_ENDING = (
    "lanes = at::vec::Vectorized<float>::set(at::vec::Vectorized<float>(0), lanes, {count});\n"
)

# By the number of vectors that hold one part: float32 and float64.
_SEPARATED = {
    1: "return at::vec::deinterleave2(low, high);",
    2: "auto first = at::vec::deinterleave2(low[0], low[1]);\n"
    "auto second = at::vec::deinterleave2(high[0], high[1]);\n"
    "decltype(low) re, im;\n"
    "re[0] = first.first; re[1] = second.first; im[0] = first.second; im[1] = second.second;\n"
    "return std::make_pair(re, im);",
}


def fits(kernel: Any, dtype: torch.dtype) -> bool:
    """Whether there is no mask, or one of float32, which masks are converted to, has its lanes."""
    if gathers.mask_of(kernel) is None:
        return True
    return (
        kernel._get_num_vectors(torch.float32) == 1 and kernel._get_num_vectors(dtype) in _SEPARATED
    )


def load_code(kernel: Any, pointer: str, dtype: torch.dtype) -> str:
    """Both parts, from the address of the first, where the mask of the kernel is set; else 0."""
    mask = gathers.mask_of(kernel)
    if mask is None:
        return vectors.load_code(kernel, pointer, dtype)
    number = kernel._get_num_vectors(dtype)
    ending = _ENDING.format(count=cexpr_index(kernel.num_elems)) if kernel.tail_size else ""
    return _BOTH.format(
        mask=kernel._get_mask_cast(mask, torch.float32),
        ending=ending,
        type=DTYPE_TO_CPP[dtype],
        vectors=number,
        pointer=pointer,
        lanes=kernel.tiling_factor,
        separated=_SEPARATED[number],
    )
