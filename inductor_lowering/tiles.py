"""C++ code that transposes a tile of complex numbers between memory and a local array.

The local array holds, for each column of the tile, its rows side by side, so that a loop over rows
reads whole vectors from it. A whole tile of float32 pairs is turned in registers, others element by
element; the parts of an element stay side by side.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._inductor.codegen.cpp_utils import DTYPE_TO_CPP, cexpr_index

# A pair of float32 numbers moves as one double does. Each perfect shuffle of the rows turns the
# index of an element by one bit, so log2(width) of them exchange rows and columns.
_BLOCKS = """{{
using pairs = at::vec::Vectorized<double>;
constexpr int width = pairs::size();
for (long row = 0; row < {n}; row += width) for (long column = 0; column < {n}; column += width) {{
pairs a[width], b[width];
#pragma GCC unroll 8
for (int k = 0; k < width; k++) a[k] = pairs::loadu({source});
#pragma GCC unroll 3
for (int done = 1; done < width; done *= 2) {{
#pragma GCC unroll 4
for (int k = 0; k < width / 2; k++) {{
auto p = at::vec::interleave2(a[k], a[k + width / 2]);
b[2 * k] = p.first;
b[2 * k + 1] = p.second;
}}
#pragma GCC unroll 8
for (int k = 0; k < width; k++) a[k] = b[k];
}}
#pragma GCC unroll 8
for (int k = 0; k < width; k++) a[k].store({to});
}}
}}"""


def definition(tile: Any, n: int, dtype: torch.dtype) -> str:
    """Define the array `tile` for n by n numbers."""
    return f"alignas(64) {DTYPE_TO_CPP[dtype]} {tile}[{2 * n * n}];"


def fill(kernel: Any, tile: Any, pointer: str, distance: Any, dtype: torch.dtype) -> str:
    """Copy to the array; rows in memory lie `distance` numbers apart."""
    return _copies(kernel, _Tile(tile, pointer, distance, kernel.tiling_factor), dtype, False)


def empty(kernel: Any, tile: Any, pointer: str, distance: Any, dtype: torch.dtype) -> str:
    """Copy from the array to memory."""
    return _copies(kernel, _Tile(tile, pointer, distance, kernel.tiling_factor), dtype, True)


class _Tile:
    """Addresses of an element, by row and column, in the array and in memory."""

    def __init__(self, tile: Any, pointer: str, distance: Any, n: int) -> None:
        self.tile, self.pointer, self.n = tile, pointer, n
        self.distance = cexpr_index(distance)

    def inside(self, row: str, column: str) -> str:
        return f"({self.tile} + {2 * self.n} * ({column}) + 2 * ({row}))"

    def outside(self, row: str, column: str) -> str:
        return f"({self.pointer} + {self.distance} * ({row}) + 2 * ({column}))"


def _copies(kernel: Any, tile: _Tile, dtype: torch.dtype, outwards: bool) -> str:
    counts = kernel.inner_num_elems, kernel.outer_num_elems
    if not kernel.inner_is_tiling_idx:
        counts = counts[::-1]  # Inductor exchanges the two loops for some reductions
    whole = all(count == tile.n for count in counts) and tile.n % 8 == 0
    if whole and dtype == torch.float32:
        return _by_blocks(tile, outwards)
    inside, outside = tile.inside("row", "column"), tile.outside("row", "column")
    to, source = (outside, inside) if outwards else (inside, outside)
    rows, columns = map(cexpr_index, counts)
    return (
        f"for (long row = 0; row < {rows}; row++) for (long column = 0; column < {columns}; "
        f"column++) {{ {to}[0] = {source}[0]; {to}[1] = {source}[1]; }}"
    )


def _by_blocks(tile: _Tile, outwards: bool) -> str:
    inside, outside = tile.inside("row", "column + k"), tile.outside("row + k", "column")
    to, source = (outside, inside) if outwards else (inside, outside)
    return _BLOCKS.format(n=tile.n, to=to, source=source)
