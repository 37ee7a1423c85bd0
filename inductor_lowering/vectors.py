"""C++ code that moves whole vectors of interleaved complex numbers, and parts of them in tails."""

from __future__ import annotations

from typing import Any

import sympy
import torch
from torch._inductor.codegen.cpp_utils import DTYPE_TO_CPP, cexpr_index

_QUADS = """[&]() {{
auto low = at::vec::deinterleave2({0}, {1});
auto high = at::vec::deinterleave2({2}, {3});
return std::make_pair(
at::vec::deinterleave2(low.first, high.first), at::vec::deinterleave2(low.second, high.second));
}}()"""
_QUADS_TO = """{{ auto p = {quads};
re.first[{k}] = p.first.first; re.second[{k}] = p.first.second;
im.first[{k}] = p.second.first; im.second[{k}] = p.second.second; }}
"""


def _lanes(kernel: Any, dtype: torch.dtype) -> tuple[int, int]:
    """Number of vectors that hold one part, and elements in each."""
    vectors = kernel._get_num_vectors(dtype)
    return vectors, kernel.tiling_factor // vectors


def _filled(kernel: Any, offset: int, width: int, stride: int) -> str | None:
    """Numbers of a vector that the tail of a loop fills; None where there is nothing to say.

    The vector is that of `width` numbers from `offset` in the memory of the loop's elements, each
    of which takes `stride` numbers.
    """
    if not kernel.tail_size:
        return None
    left = stride * sympy.sympify(kernel.num_elems) - offset
    if left.is_Integer:
        return str(min(max(int(left), 0), width))
    return f"std::clamp<int64_t>({cexpr_index(left)}, 0, {width})"


def _arguments(kernel: Any, pointer: str, offset: int, width: int, stride: int = 2) -> str:
    """What `loadu` and `store` are given to touch one vector, or the part of it that is there."""
    count = _filled(kernel, offset, width, stride)
    return f"{pointer} + {offset}" + (f", {count}" if count else "")


def load_code(kernel: Any, pointer: str, dtype: torch.dtype) -> str:
    """Pair of the real and the imaginary parts of numbers side by side."""
    vectors, width = _lanes(kernel, dtype)
    vec = f"at::vec::Vectorized<{DTYPE_TO_CPP[dtype]}>"

    def separated(k: int) -> str:
        offsets = (2 * k * width, (2 * k + 1) * width)
        first, second = (
            f"{vec}::loadu({_arguments(kernel, pointer, offset, width)})" for offset in offsets
        )
        return f"at::vec::deinterleave2({first}, {second})"

    if vectors == 1:
        return separated(0)
    parts = "".join(
        f"{{ auto p = {separated(k)}; re[{k}] = p.first; im[{k}] = p.second; }} "
        for k in range(vectors)
    )
    declared = f"{kernel._get_vec_type(dtype)} re, im;"
    return f"[&]() {{ {declared} {parts}return std::make_pair(re, im); }}()"


def flipped_code(kernel: Any, code: str, dtype: torch.dtype) -> str:
    """The pair of vectors that `code` makes, with their elements in reverse."""
    vectors, _ = _lanes(kernel, dtype)
    if vectors == 1:
        flipped = "at::vec::flip(p.first), at::vec::flip(p.second)"
        return f"[&]() {{ auto p = {code}; return std::make_pair({flipped}); }}()"
    parts = "".join(
        f"re[{k}] = at::vec::flip(p.first[{vectors - 1 - k}]); "
        f"im[{k}] = at::vec::flip(p.second[{vectors - 1 - k}]); "
        for k in range(vectors)
    )
    declared = f"auto p = {code}; {kernel._get_vec_type(dtype)} re, im;"
    return f"[&]() {{ {declared} {parts}return std::make_pair(re, im); }}()"


def quads_code(kernel: Any, pointer: str, dtype: torch.dtype) -> str:
    """Parts of both numbers of blocks of two: pairs of vectors, first the real parts."""
    vectors, width = _lanes(kernel, dtype)
    vec = f"at::vec::Vectorized<{DTYPE_TO_CPP[dtype]}>"

    def load(k: int) -> str:
        return f"{vec}::loadu({_arguments(kernel, pointer, k * width, width, 4)})"

    def separated(k: int) -> str:
        return _QUADS.format(*(load(4 * k + i) for i in range(4)))

    if vectors == 1:
        return separated(0)
    parts = "".join(_QUADS_TO.format(k=k, quads=separated(k)) for k in range(vectors))
    declared = f"std::pair<{kernel._get_vec_type(dtype)}, {kernel._get_vec_type(dtype)}> re, im;"
    return f"[&]() {{ {declared} {parts}return std::make_pair(re, im); }}()"


def store_code(kernel: Any, pointer: str, dtype: torch.dtype, re: Any, im: Any) -> str:
    """Write numbers side by side from vectors of their parts."""
    vectors, width = _lanes(kernel, dtype)
    code = ""
    for k in range(vectors):
        item = f"[{k}]" if vectors > 1 else ""
        low, high = (_arguments(kernel, pointer, (2 * k + i) * width, width) for i in (0, 1))
        code += (
            f"{{ auto p = at::vec::interleave2({re}{item}, {im}{item}); "
            f"p.first.store({low}); p.second.store({high}); }} "
        )
    return code
