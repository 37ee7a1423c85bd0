"""Vector loads and stores of interleaved complex memory in Inductor's C++ kernels.

Stock Inductor sees two accesses of stride two, declines to vectorise the loop or gathers element by
element. Here a load of either part reads whole vectors and separates them once for both parts
(`at::vec::deinterleave2`); the stores of both parts are joined and written as whole vectors
(`at::vec::interleave2`). The tail of a loop, masked loads, other dtypes and tiled transpositions
keep the stock code, which is right for any stride.

Applies to buffers that our lowerings made and, for loads, to other memory that a graph with complex
values reads as pairs; kernels of real programs are what they were. An upstream `CppVecKernel` that
knows strided vectors of two would make this file unnecessary.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import sympy
import torch
from torch._inductor import ir
from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.codegen.common import DeferredLine
from torch._inductor.codegen.cpp_utils import DTYPE_TO_CPP, cexpr_index
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved

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


def _real_name(name: str) -> str:
    """Name of the buffer that a store to `name` changes."""
    # None for a buffer local to an outer loop, which Inductor adds while it writes the kernel.
    buffer = V.graph.try_get_buffer(name)
    layout = getattr(buffer, "layout", None)
    if isinstance(layout, ir.MutationLayoutSHOULDREMOVE):
        return str(layout.get_buffer().get_name())
    return name


def _split_parity(index: sympy.Expr) -> tuple[sympy.Expr, int] | None:
    """Return `index` rounded down to even, and its parity, when that is the same for all values."""
    constant, rest = sympy.expand(index).as_coeff_Add()
    if not isinstance(constant, sympy.Integer):
        return None
    for term in sympy.Add.make_args(rest):
        coefficient = term.as_coeff_Mul()[0]
        if not isinstance(coefficient, sympy.Integer) or coefficient % 2:
            return None
    parity = int(constant) % 2
    return index - parity, parity


def _access(kernel: Any, name: str, index: sympy.Expr, stored: bool) -> Access | None:
    """Describe an access to interleaved memory; None where stock code must serve."""
    if type(kernel) is not cpp.CppVecKernel or kernel.tail_size or kernel._load_mask is not None:
        return None
    known, real = interleaved.of(V.graph), _real_name(name)
    root, own_part = known.parts.get(real, (real, 0))
    if (dtype := V.graph.get_dtype(name)) not in _DTYPES:
        return None
    if root not in known.buffers and (stored or not interleaved.holds_pairs(V.graph, name)):
        return None
    index = kernel.rename_indexing(index)
    if kernel._try_get_const_stride(index, kernel.itervars[kernel.tiling_idx]) != 2:
        return None
    split = _split_parity(index)
    if split is None or (own_part and split[1]):
        return None
    return Access(root, split[0], own_part + split[1], dtype)


def _lanes(kernel: Any, dtype: torch.dtype) -> tuple[int, int]:
    """Number of vectors that hold one part, and elements in each."""
    vectors = kernel._get_num_vectors(dtype)
    return vectors, kernel.tiling_factor // vectors


def _load_code(kernel: Any, pointer: str, dtype: torch.dtype) -> str:
    vectors, width = _lanes(kernel, dtype)
    vec = f"at::vec::Vectorized<{DTYPE_TO_CPP[dtype]}>"

    def separated(k: int) -> str:
        first, second = (f"{vec}::loadu({pointer} + {(2 * k + i) * width})" for i in (0, 1))
        return f"at::vec::deinterleave2({first}, {second})"

    if vectors == 1:
        return separated(0)
    parts = "".join(
        f"{{ auto p = {separated(k)}; re[{k}] = p.first; im[{k}] = p.second; }} "
        for k in range(vectors)
    )
    declared = f"{kernel._get_vec_type(dtype)} re, im;"
    return f"[&]() {{ {declared} {parts}return std::make_pair(re, im); }}()"


def _store_code(kernel: Any, pointer: str, dtype: torch.dtype, re: Any, im: Any) -> str:
    vectors, width = _lanes(kernel, dtype)
    code = ""
    for k in range(vectors):
        item = f"[{k}]" if vectors > 1 else ""
        low, high = (f"{pointer} + {(2 * k + i) * width}" for i in (0, 1))
        code += (
            f"{{ auto p = at::vec::interleave2({re}{item}, {im}{item}); "
            f"p.first.store({low}); p.second.store({high}); }} "
        )
    return code


def _load(stock: Callable[..., Any]) -> Callable[..., Any]:
    def load(self: Any, name: str, index: sympy.Expr) -> Any:
        access = _access(self, name, index, stored=False)
        if access is None or name in interleaved.of(V.graph).parts:
            return stock(self, name, index)
        pointer = f"{self.args.input(name)} + {cexpr_index(access.base)}"
        code = _load_code(self, pointer, access.dtype)
        both = self.cse.generate(self.loads, code, dtype=access.dtype)
        part = "second" if access.part else "first"
        value = self.cse.generate(self.loads, f"{both}.{part}", dtype=access.dtype)
        value.update_on_args("load", (self, name, index), {})
        value.is_vec = True
        return value

    return load


class _Stored(NamedTuple):
    """The store of one part, which waits for the other."""

    access: Access
    name: str
    value: Any
    lines: list[Any]


def _store(stock: Callable[..., Any]) -> Callable[..., Any]:
    def store(self: Any, name: str, index: sympy.Expr, value: Any, mode: Any = None) -> None:
        access = _access(self, name, index, stored=True) if mode is None else None
        if access is None:
            stock(self, name, index, value, mode)
            return
        value = value if value.is_vec else self.broadcast(value)
        waiting = self.__dict__.setdefault("_interleaved_stores", {})
        other = waiting.pop((access.root, access.base), None)
        if other is None or other.access.part == access.part:
            before = len(self.stores._lines)
            stock(self, name, index, value, mode)
            lines = self.stores._lines[before:]
            waiting[access.root, access.base] = _Stored(access, name, value, lines)
            return
        # The stock store of the first part makes room for the store of both.
        dropped = set(map(id, other.lines))
        self.stores._lines = [line for line in self.stores._lines if id(line) not in dropped]
        own = _Stored(access, name, value, [])
        re, im = (own, other) if access.part == 0 else (other, own)
        pointer = f"{self.args.output(re.name)} + {cexpr_index(access.base)}"
        code = _store_code(self, pointer, access.dtype, re.value, im.value)
        # The pointer of the second part is an argument of the kernel all the same.
        self.args.output(im.name)
        self.stores.writeline(DeferredLine(name, code))

    return store


@contextlib.contextmanager
def _stride_two_is_contiguous() -> Iterator[None]:
    stock = cpp.stride_at_vec_range

    def stride(*args: Any, **kwargs: Any) -> Any:
        found = stock(*args, **kwargs)
        return sympy.S.One if found == 2 else found

    cpp.stride_at_vec_range = stride
    try:
        yield
    finally:
        cpp.stride_at_vec_range = stock


def _touches_interleaved(fn_list: Any) -> bool:
    known = interleaved.of(V.graph)
    for body in cpp._get_loop_body(fn_list):
        for block in (body.root_block, *body.subblocks.values()):
            for node in block.graph.nodes:
                if node.target in ("load", "store"):
                    name = _real_name(node.args[1])
                    if name in known.buffers or name in known.parts:
                        return True
                    if node.target == "load" and interleaved.holds_pairs(V.graph, name):
                        return True
    return False


class InterleavedTiling(stock_cpp.TilingSelect):
    """Chooses the vectorised loop with interleaved accesses counted as contiguous."""

    def select_tiling(self, fn_list: Any, var_sizes_list: Any) -> Any:
        if not _touches_interleaved(fn_list):
            return super().select_tiling(fn_list, var_sizes_list)
        with _stride_two_is_contiguous():
            return super().select_tiling(fn_list, var_sizes_list)


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    return [
        (cpp.CppVecKernel, "load", _load(cpp.CppVecKernel.load)),
        (cpp.CppVecKernel, "store", _store(cpp.CppVecKernel.store)),
        (cpp, "TilingSelect", InterleavedTiling),
    ]
