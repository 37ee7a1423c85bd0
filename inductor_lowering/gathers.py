"""C++ code that reads complex numbers by whole vectors where it can, and one by one where not.

Both parts of a number are read together. Which way a vector is read is decided when the loop runs:
by its mask, as of a padded tensor that is reversed, and by its addresses, as of a rolled one.
"""

from __future__ import annotations

from typing import Any

import sympy
import torch
from torch._inductor.codegen.cpp_utils import DTYPE_TO_CPP, cexpr_index

from torch_complex_subclass.inductor_lowering import vectors

_LOAD = """[&]() {{
auto address = [&](int64_t lane) {{ return {address}; }};
{if_whole}alignas(64) {type} lanes[{size}] = {{}};
for (int64_t lane = 0; lane <= {last}; lane++) {{
{if_there}{{
lanes[2 * lane] = {pointer}[address(lane)];
lanes[2 * lane + 1] = {pointer}[address(lane) + 1];
}}
}}
return {gathered};
}}()"""


def mask_of(kernel: Any) -> Any:
    """The mask of a vector, if there is one; one of a whole loop has been asked before."""
    mask = kernel._load_mask
    return mask if mask is not None and mask.is_vec else None


def code(kernel: Any, pointer: str, base: sympy.Expr, dtype: torch.dtype, stride: Any) -> str:
    """Load both parts at `base`; a stride that is no number is two, but for a break at times."""
    lane = sympy.Symbol("lane", integer=True)
    moved = kernel.scale_index_with_offset(base, itervar_idx=kernel.tiling_idx, offset=lane)
    mask, last = mask_of(kernel), cexpr_index(kernel.num_elems - 1)
    return _LOAD.format(
        address=cexpr_index(moved),
        if_whole=_if_whole(kernel, pointer, dtype, stride, last),
        type=DTYPE_TO_CPP[dtype],
        size=2 * kernel.tiling_factor,
        last=last,
        if_there=f"if ({mask}.is_masked(lane)) " if mask is not None else "",
        pointer=pointer,
        gathered=vectors.load_code(kernel, "lanes", dtype),
    )


def _if_whole(kernel: Any, pointer: str, dtype: torch.dtype, stride: Any, last: str) -> str:
    conditions = []
    if mask_of(kernel) is not None:
        conditions.append(f"{mask_of(kernel)}.all_masked()")
    if stride == 2:
        loaded = vectors.load_code(kernel, f"{pointer} + address(0)", dtype)
    elif stride == -2 and not kernel.tail_size:
        loaded = vectors.load_code(kernel, f"{pointer} + address({last})", dtype)
        loaded = vectors.flipped_code(kernel, loaded, dtype)
    elif stride is None:
        conditions.append(f"address({last}) - address(0) == 2 * ({last})")
        loaded = vectors.load_code(kernel, f"{pointer} + address(0)", dtype)
    else:
        return ""
    return f"if ({' && '.join(conditions) or 'true'}) return {loaded};\n"
