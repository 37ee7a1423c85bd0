"""Vector loads and stores of interleaved complex memory in Inductor's C++ kernels.

Stock Inductor sees two accesses of stride two, declines to vectorise the loop or gathers element by
element. Here a load of either part reads whole vectors and separates them once for both parts
(`at::vec::deinterleave2`); the stores of both parts are joined and written as whole vectors
(`at::vec::interleave2`). A tile whose columns are contiguous is transposed in front of its loop,
or behind it, both parts of an element together. The tail of a loop takes parts of vectors, and a
masked load what its mask allows. Other dtypes keep the stock code, which is right for any stride.

Applies to buffers that our lowerings made and, for loads, to other memory that a graph with complex
values reads as pairs; kernels of real programs are what they were. An upstream `CppVecKernel` that
knows strided vectors of two would make this file unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sympy
import torch
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.codegen.common import DeferredLine
from torch._inductor.codegen.cpp_utils import cexpr_index
from torch._inductor.virtualized import V
from torch.utils._sympy.symbol import SymT, free_symbol_is_type

from torch_complex_subclass.inductor_lowering import (
    gathers,
    halves,
    interleaved,
    masked,
    pieces,
    quads,
    tiles,
    tiling,
    vectors,
)

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp

_DTYPES = (torch.float32, torch.float64)


class Access(NamedTuple):
    """A vector access to one part of interleaved memory."""

    root: str
    """The buffer that holds both parts."""
    base: sympy.Expr
    """Index of the real part."""
    part: int
    dtype: torch.dtype


def _takes_vectors(kernel: Any) -> bool:
    return type(kernel) in (cpp.CppVecKernel, cpp.CppTile2DKernel)


class _Memory(NamedTuple):
    """Interleaved memory, as an access to it names it."""

    root: str
    own_part: int
    """The part that the name itself stands for."""
    dtype: torch.dtype


def _memory(name: str, stored: bool, dtypes: Sequence[torch.dtype] = _DTYPES) -> _Memory | None:
    """What is known of the memory behind a name; None where stock code must serve."""
    known, real = interleaved.of(V.graph), interleaved.real_name(name)
    root, own_part = known.parts.get(real, (real, 0))
    dtype = V.graph.get_dtype(name)
    holds = root in known.buffers or (not stored and interleaved.holds_pairs(V.graph, name))
    if dtype not in dtypes or not holds or (not stored and name in known.parts):
        return None
    return _Memory(root, own_part, dtype)


def _at(memory: _Memory, index: sympy.Expr) -> Access | None:
    split = interleaved.split_parity(index)
    if split is None or (memory.own_part and split[1]):
        return None
    return Access(memory.root, split[0], memory.own_part + split[1], memory.dtype)


def _access(
    kernel: Any,
    name: str,
    index: sympy.Expr,
    stored: bool,
    dtypes: Sequence[torch.dtype] = _DTYPES,
) -> Access | None:
    """Describe an access to interleaved memory; None where stock code must serve."""
    memory = _memory(name, stored, dtypes) if _takes_vectors(kernel) else None
    if memory is None:
        return None
    index = kernel.rename_indexing(index)
    if kernel._try_get_const_stride(index, kernel.itervars[kernel.tiling_idx]) != 2:
        return None
    return _at(memory, index)


def _load(stock: Callable[..., Any]) -> Callable[..., Any]:
    def load(self: Any, name: str, index: sympy.Expr) -> Any:
        if interleaved.has_complex_values(V.graph):
            index = pieces.merged(index)
        args = self, name, index
        access = _access(self, name, index, stored=False)
        if access is not None and masked.fits(self, access.dtype):
            pointer = f"{self.args.input(name)} + {cexpr_index(access.base)}"
            return _load_part(self, access, masked.load_code(self, pointer, access.dtype), args)
        access = _access(self, name, index, stored=False, dtypes=(torch.bfloat16,))
        if access is not None and halves.fill_vectors(self) and self._load_mask is None:
            pointer = f"{self.args.input(name)} + {cexpr_index(access.base)}"
            wide = access._replace(dtype=torch.float32)
            part = _load_part(self, wide, halves.load_code(pointer), args)
            return halves.narrowed(self, part, args)
        block = _quad_access(self, name, index)
        if block is not None:
            return _load_of_quads(self, block, args)
        found = _gathered(self, name, index)
        if found is None:
            return stock(*args)
        access, stride = found
        pointer = self.args.input(name)
        code = gathers.code(self, pointer, access.base, access.dtype, stride)
        return _load_part(self, access, code, args)

    return load


def _quad_access(kernel: Any, name: str, index: sympy.Expr) -> Access | None:
    """Describe an access to every other number; `part` is the place in the block of two."""
    memory = _memory(name, stored=False) if _takes_vectors(kernel) else None
    if memory is None or memory.own_part or gathers.mask_of(kernel) is not None:
        return None
    index = kernel.rename_indexing(index)
    stride = kernel._try_get_const_stride(index, kernel.itervars[kernel.tiling_idx])
    found = quads.split(index) if stride == quads.SIZE else None
    if found is None or not interleaved.ends_block(V.graph, memory.root, quads.SIZE):
        return None
    return Access(memory.root, *found, memory.dtype)


def _load_of_quads(kernel: Any, access: Access, args: tuple[Any, ...]) -> Any:
    """Read both numbers of the blocks once, and return the part of one that is asked for."""
    pointer = f"{kernel.args.input(args[1])} + {cexpr_index(access.base)}"
    code = vectors.quads_code(kernel, pointer, access.dtype)
    block = kernel.cse.generate(kernel.loads, code, dtype=access.dtype)
    number, part = divmod(access.part, 2)
    parts = f"{block}.{('first', 'second')[part]}"
    return _load_part(kernel, access._replace(part=number), parts, args)


def _gathered(kernel: Any, name: str, index: sympy.Expr) -> tuple[Access, int | None] | None:
    """Describe an access that vectors serve at times, and its stride: None for two with breaks."""
    memory = _memory(name, stored=False) if _takes_vectors(kernel) else None
    index = kernel.rename_indexing(index)
    if memory is None or free_symbol_is_type(index, SymT.TMP):
        return None
    access, itervar = _at(memory, index), kernel.itervars[kernel.tiling_idx]
    stride = kernel._try_get_const_stride(index, itervar)
    if access is None or stride == 0:
        return None
    if stride is not None and stride.is_Integer:
        return access, int(stride)
    is_broken = pieces.slope(index, itervar, kernel.tiling_factor) == 2
    return (access, None) if is_broken else None


def _load_part(kernel: Any, access: Access, code: str, args: tuple[Any, ...]) -> Any:
    """Read both parts by `code`, once, and return the one that is asked for."""
    both = kernel.cse.generate(kernel.loads, code, dtype=access.dtype)
    part = "second" if access.part else "first"
    value = kernel.cse.generate(kernel.loads, f"{both}.{part}", dtype=access.dtype)
    value.update_on_args("load", args, {})
    value.is_vec = True
    return value


# ---------------------------------------------------------------- transposed tiles


def _transposed(
    kernel: Any, name: str, index: sympy.Expr, stored: bool
) -> tuple[Access, Any] | None:
    """Access to interleaved memory whose columns are contiguous, and the distance of two rows."""
    memory = _memory(name, stored) if _takes_vectors(kernel) else None
    if memory is None or kernel._load_mask is not None or free_symbol_is_type(index, SymT.TMP):
        return None
    columns = kernel._try_get_const_stride(index, kernel.itervars[kernel.outer_idx])
    rows = kernel._try_get_const_stride(index, kernel.itervars[kernel.tiling_idx])
    access = _at(memory, index)
    if columns != 2 or rows is None or rows == 2 or access is None:
        return None
    return access, rows


def _tile(kernel: Any, pointer: str, dtype: torch.dtype, distance: Any) -> Any:
    """Copy a tile in front of the loop, transposed."""
    key, n = f"tile of pairs at {pointer}", kernel.tiling_factor
    if kernel.cse.contains(key):
        return kernel.cse.get(key)
    tile = kernel.cse.generate(kernel.preloads, key, write=False)
    kernel.preloads.writeline(tiles.definition(tile, n, dtype))
    kernel.preloads.writeline(tiles.fill(kernel, tile, pointer, distance, dtype))
    return tile


def _load_tile(stock: Callable[..., Any]) -> Callable[..., Any]:
    def load(self: Any, name: str, index: sympy.Expr) -> Any:
        renamed = self.rename_indexing(index)
        found = _transposed(self, name, renamed, stored=False)
        if found is None:
            return stock(self, name, index)
        access, distance = found
        pointer = f"({self.args.input(name)} + {cexpr_index(access.base)})"
        tile = _tile(self, pointer, access.dtype, distance)
        row = f"{tile} + {2 * self.tiling_factor} * {self.inner_itervar()}"
        code = vectors.load_code(self, row, access.dtype)
        return _load_part(self, access, code, (self, name, index))

    return load


class _Stored(NamedTuple):
    """The store of one part, which waits for the other."""

    access: Access
    name: str
    value: Any
    lines: list[Any]


def _both_parts(
    kernel: Any, access: Access, name: str, value: Any, store: Callable[[Any], None]
) -> tuple[_Stored, _Stored] | None:
    """Both stores of a pair once the second comes; `store` makes the first, and is taken back."""
    value = value if value.is_vec else kernel.broadcast(value)
    waiting = kernel.__dict__.setdefault("_interleaved_stores", {})
    other = waiting.pop((access.root, access.base), None)
    if other is None or other.access.part == access.part:
        before = len(kernel.stores._lines)
        store(value)
        lines = kernel.stores._lines[before:]
        waiting[access.root, access.base] = _Stored(access, name, value, lines)
        return None
    dropped = set(map(id, other.lines))
    kernel.stores._lines = [line for line in kernel.stores._lines if id(line) not in dropped]
    own = _Stored(access, name, value, [])
    # The pointer of the second part is an argument of the kernel all the same.
    kernel.args.output(name)
    return (own, other) if access.part == 0 else (other, own)


def _store(stock: Callable[..., Any]) -> Callable[..., Any]:
    def store(self: Any, name: str, index: sympy.Expr, value: Any, mode: Any = None) -> None:
        access = _access(self, name, index, stored=True) if mode is None else None
        if access is None and mode is None and halves.fill_vectors(self):
            access = _access(self, name, index, stored=True, dtypes=(torch.bfloat16,))
        if access is None:
            stock(self, name, index, value, mode)
            return
        pair = _both_parts(
            self, access, name, value, lambda vector: stock(self, name, index, vector, mode)
        )
        if pair is not None:
            re, im = pair
            pointer = f"{self.args.output(re.name)} + {cexpr_index(access.base)}"
            if access.dtype == torch.bfloat16:
                code = halves.store_code(pointer, re.value, im.value)
            else:
                code = vectors.store_code(self, pointer, access.dtype, re.value, im.value)
            self.stores.writeline(DeferredLine(name, code))

    return store


def _store_tile(stock: Callable[..., Any]) -> Callable[..., Any]:
    def store(self: Any, name: str, index: sympy.Expr, value: Any, mode: Any = None) -> None:
        found = _transposed(self, name, self.rename_indexing(index), stored=True)
        if found is None or mode is not None:
            stock(self, name, index, value, mode)
            return
        access, distance = found
        pair = _both_parts(
            self, access, name, value, lambda vector: stock(self, name, index, vector, mode)
        )
        if pair is not None:
            re, im = pair
            n, tile = self.tiling_factor, self.cse.newvar()
            self.preloads.writeline(tiles.definition(tile, n, access.dtype))
            row = f"{tile} + {2 * n} * {self.inner_itervar()}"
            code = vectors.store_code(self, row, access.dtype, re.value, im.value)
            self.stores.writeline(DeferredLine(name, code))
            pointer = f"({self.args.output(re.name)} + {cexpr_index(access.base)})"
            copies = tiles.empty(self, tile, pointer, distance, access.dtype)
            self.poststores.writeline(DeferredLine(name, copies))

    return store


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    return [
        (cpp.CppVecKernel, "load", _load(cpp.CppVecKernel.load)),
        (cpp.CppTile2DKernel, "load", _load_tile(cpp.CppTile2DKernel.load)),
        (cpp.CppTile2DKernel, "store", _store_tile(cpp.CppTile2DKernel.store)),
        (cpp.CppVecKernel, "store", _store(cpp.CppVecKernel.store)),
        (cpp, "TilingSelect", tiling.InterleavedTiling),
    ]
