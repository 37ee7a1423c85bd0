"""Products of matrices and vectors.

Each is written as four real products (three would cost accuracy in the imaginary part), or for
bfloat16 as two of twice the length (see `expanded.py`). Compiled code gives the two-operand
products of other dtypes to the library's complex kernel unless told otherwise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

from torch_complex_subclass.decompositions.arithmetic import add, mul, scale
from torch_complex_subclass.decompositions.expanded import affine_product as expanded_affine
from torch_complex_subclass.decompositions.expanded import is_expandable
from torch_complex_subclass.decompositions.expanded import product as expanded_product
from torch_complex_subclass.decompositions.operands import as_pair, on_parts
from torch_complex_subclass.decompositions.registry import (
    Operand,
    Pair,
    bilinear,
    reduction,
)

aten = torch.ops.aten


LARGEST_GATE = 4
"""Largest size of a matrix whose product with long rows is a sum of outer products."""


def is_written_out(a: Tensor, b: Tensor) -> bool:
    """True for a product that no library call makes faster, since it reads each number about once.

    These are products of a vector and a matrix, outer products, products of a small matrix with
    long rows, as of a gate with a state, two long rows with two long columns, as in the gradient of
    a gate, and many products of small matrices that lie side by side. Sizes that are not known do
    not count as small.
    """
    kinds = _is_vector, _is_gate, _is_four_sums, _is_batch_of_small
    return any(is_of_kind(a, b) for is_of_kind in kinds)


LONG_ROW = 512
"""Length from which rows of a matrix in memory are far apart for loops that sum over them."""


def _is_vector(a: Tensor, b: Tensor) -> bool:
    """True for one column on the right, and for one row on the left of rows that are not long.

    A library call goes through long rows in the order of memory; generated code takes some
    columns of all rows at a time.
    """
    if _is_one(b.shape[-1]):
        return True
    return is_row_times_matrix(a, b) and not _has_long_rows(b)


def is_row_times_matrix(a: Tensor, b: Tensor) -> bool:
    """True for one row on the left, however long the rows on the right are."""
    return _is_one(a.shape[-2])


def _is_one(n: int | torch.SymInt) -> bool:
    return isinstance(n, int) and n == 1


def _is_two(n: int | torch.SymInt) -> bool:
    return isinstance(n, int) and n == 2


def _has_long_rows(t: Tensor) -> bool:
    """True where sizes and strides are known, and rows are long and each in one piece."""
    columns, strides = t.shape[-1], t.stride()
    if not all(isinstance(n, int) for n in (columns, *strides)):
        return False
    return columns >= LONG_ROW and strides[-1] == min(strides)


def _is_gate(a: Tensor, b: Tensor) -> bool:
    """True for an outer product, and for at most 4 rows of at most 4 terms times long rows.

    Products of small matrices with each other have no long dimension for vectors, and take long to
    compile where there is a chain of them; many rows reuse what a library call keeps in registers.
    """
    rows, count = (isinstance(n, int) and 0 < n <= LARGEST_GATE for n in a.shape[-2:])
    columns = b.shape[-1]
    return count and (a.shape[-1] == 1 or (rows and (not isinstance(columns, int) or columns > 15)))


LONG_SUM = 1024
"""Number of terms from which four sums are faster than a library call, wherever the factors lie."""


def _is_four_sums(a: Tensor, b: Tensor) -> bool:
    """True for two long rows times two long columns, as in the gradient of a gate.

    A library call has no blocks of rows and columns to keep in registers, and reads both factors
    from memory. Rows of unknown length are taken for long where there is one product, not many.
    Nine sums, of rows of three, are slower than the call where a column is not contiguous.
    """
    terms = a.shape[-1]
    if not _is_two(a.shape[-2]) or not _is_two(b.shape[-1]):
        return False
    if not isinstance(terms, int):
        return all(map(_is_one, a.shape[:-2]))
    return terms >= LONG_SUM


LARGEST_OF_MANY = 2**12
"""Largest number of products in one of many small matrix products that are written out."""

LARGEST_TURNED = 2**7
"""The same where the matrices of one factor lie one after the other, column by column."""


def _is_batch_of_small(a: Tensor, b: Tensor) -> bool:
    """True for small matrices that lie side by side, element by element, as weights of modes do.

    The batch is then what is long and contiguous; for a library call they are copied first. Larger
    matrices gain more from what a library call keeps in registers, and so do columns of the other
    factor, along which neither the batch nor the sum goes through memory in order.
    """
    if a.dim() != 3 or b.dim() != 3 or not all(isinstance(n, int) for n in (*a.shape, *b.shape)):
        return False
    if not any(t.shape[0] >= 16 and t.stride(0) == min(t.stride()) for t in (a, b)):
        return False
    largest = LARGEST_TURNED if _lies_in_columns(a) or _lies_in_columns(b) else LARGEST_OF_MANY
    return 0 < math.prod(a.shape[1:]) * b.shape[-1] <= largest


def _lies_in_columns(t: Tensor) -> bool:
    batch, row, column = t.stride()
    return row < min(batch, column)


def _outer_products(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product, elementwise, so it fuses with what is around."""

    def term(k: int) -> Pair:
        column = on_parts(lambda t: t.narrow(-1, k, 1), a)
        row = on_parts(lambda t: t.narrow(-2, k, 1), b)
        return as_pair(mul(column, row))

    return functools.reduce(add, map(term, range(as_pair(a).re.shape[-1])))


def vector_product(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product with one row on the left or one column on the right: products, summed."""
    if as_pair(a).re.shape[-2] == 1:
        terms, dim = mul(on_parts(_turned, a), b), -2
    else:
        terms, dim = mul(a, on_parts(_turned, b)), -1
    re, im = as_pair(terms)
    return Pair(re.sum(dim, keepdim=True), im.sum(dim, keepdim=True))


def _four_sums(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product as one sum for each element, which one loop adds up, reading each once."""
    rows, columns = _both(a, -2), _both(b, -1)
    sums = [vector_product(row, column) for row in rows for column in columns]
    re, im = (torch.cat(parts, -1).unflatten(-1, (2, 2)) for parts in zip(*sums, strict=True))
    return Pair(re.squeeze(-3), im.squeeze(-3))


def _both(z: Pair | Tensor, dim: int) -> list[Pair | Tensor]:
    return [
        on_parts(functools.partial(torch.narrow, dim=dim, start=k, length=1), z) for k in (0, 1)
    ]


def _turned(t: Tensor) -> Tensor:
    return t.mT


def _products_of_batch(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Batched matrix product: products of all pairs of rows and columns, summed.

    The batch comes last in the loops, and in the memory of the result.
    """
    left = on_parts(lambda t: t.permute(1, 2, 0).unsqueeze(2), a)
    right = on_parts(lambda t: t.permute(1, 2, 0).unsqueeze(0), b)
    re, im = as_pair(mul(left, right))
    return Pair(re.sum(1).permute(2, 0, 1), im.sum(1).permute(2, 0, 1))


def sums_of_rows(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product, each element a sum over the last dimension of products.

    Op by op, the products of all pairs of rows and columns would be stored: for loops only.
    """
    rows = on_parts(lambda t: t.unsqueeze(-2), a)
    columns = on_parts(lambda t: t.mT.unsqueeze(-3), b)
    return _of_real_factors(lambda z, w: _summed(mul(z, w), -1), rows, columns)


def sums_of_columns(a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Matrix product, rows of it sums over the dimension before the last of products.

    Of a long left factor, the columns of the result lie in one piece each. For loops only, too.
    """
    if as_pair(a).re.shape[-2] > as_pair(b).re.shape[-1]:
        return as_pair(
            on_parts(_turned, sums_of_columns(on_parts(_turned, b), on_parts(_turned, a)))
        )
    columns = on_parts(lambda t: t.unsqueeze(-1), a)
    rows = on_parts(lambda t: t.unsqueeze(-3), b)
    return _of_real_factors(lambda z, w: _summed(mul(z, w), -2), columns, rows)


def _summed(z: Pair, dim: int) -> Pair:
    return as_pair(on_parts(lambda t: t.sum(dim), z))


def _of_real_factors(
    op: Callable[[Pair | Tensor, Pair | Tensor], Pair], a: Pair | Tensor, b: Pair | Tensor
) -> Pair:
    """Return `op` of factors, of which both may be real."""
    if isinstance(a, Pair) or isinstance(b, Pair):
        return op(a, b)
    # Nothing reads the second half, so nothing computes it.
    return as_pair(op(a, Pair(b, b)).re)


def split_product(
    a: Pair | Tensor,
    b: Pair | Tensor,
    *,
    rows: Sequence[int],
    terms: Sequence[int],
    columns: Sequence[int],
) -> Pair:
    """Matrix product as products, summed, in loops over parts of its dimensions.

    Shapes (..., n, k) and (..., k, m) give (..., n, m), where n is the product of `rows`, k of
    `terms` and m of `columns`.
    """
    shape = as_pair(a).re.shape
    batch = shape[:-2]
    left = on_parts(lambda t: t.view(*batch, *rows, *terms, *(1 for _ in columns)), a)
    right = on_parts(lambda t: t.view(*batch, *(1 for _ in rows), *terms, *columns), b)
    first = len(batch) + len(rows)
    dims = range(first, first + len(terms))

    def gather(t: Tensor) -> Tensor:
        t = t if shape[-1] == 1 else t.sum(list(dims))
        return t.reshape(*batch, shape[-2], as_pair(b).re.shape[-1])

    return as_pair(on_parts(gather, mul(left, right)))


def product(op: Callable[[Tensor, Tensor], Tensor], a: Pair | Tensor, b: Pair | Tensor) -> Pair:
    """Four real calls of `op`, or sums of products where it is cheap to write them out.

    Two calls where one factor is real, one where both are.
    """
    if not isinstance(a, Pair) and not isinstance(b, Pair):
        return _of_real_factors(functools.partial(product, op), a, b)
    left, right = as_pair(a).re, as_pair(b).re
    if _is_gate(left, right):
        return _outer_products(a, b)
    if _is_vector(left, right):
        return vector_product(a, b)
    if _is_four_sums(left, right):
        return _four_sums(a, b)
    if _is_batch_of_small(left, right):
        return _products_of_batch(a, b)
    if not isinstance(b, Pair):
        re, im = as_pair(a)
        return Pair(op(re, b), op(im, b))
    if not isinstance(a, Pair):
        return Pair(op(a, b.re), op(a, b.im))
    return Pair(op(a.re, b.re) - op(a.im, b.im), op(a.re, b.im) + op(a.im, b.re))


def _part(t: Pair | Tensor) -> Tensor:
    return t.re if isinstance(t, Pair) else t


def _stays_narrow(a: Pair | Tensor, b: Pair | Tensor) -> bool:
    """True for a product of half types that the library computes best as it is."""
    return is_expandable(_part(a)) and not is_written_out(_part(a), _part(b))


def _narrow_product(op: OpOverload, a: Pair | Tensor, b: Pair | Tensor) -> Any:
    return expanded_product(op, a, b) if _stays_narrow(a, b) else NotImplemented


def _narrow_affine(
    op: OpOverload, z: Operand, a: Operand, b: Operand, *, beta: Any = 1, alpha: Any = 1
) -> Any:
    pairs = isinstance(z, Pair) and isinstance(a, Pair) and isinstance(b, Pair)
    real = not isinstance(beta, Pair) and not isinstance(alpha, Pair)
    if not (pairs and real and _stays_narrow(a, b)):  # type: ignore[arg-type]
        return NotImplemented
    return expanded_affine(op, z, a, b, beta, alpha)  # type: ignore[arg-type]


@bilinear(aten.mm.default, narrow=functools.partial(_narrow_product, aten.mm.default))
def mm(a: Pair, b: Pair) -> Pair:
    """Matrix product; shapes (n, k) and (k, m) give (n, m)."""
    return product(aten.mm.default, a, b)


@bilinear(aten.bmm.default, narrow=functools.partial(_narrow_product, aten.bmm.default))
def bmm(a: Pair, b: Pair) -> Pair:
    """Batched matrix product; shapes (b, n, k) and (b, k, m) give (b, n, m)."""
    return product(aten.bmm.default, a, b)


def affine(z: Operand, result: Operand, beta: Any, alpha: Any) -> Pair:
    """Return beta * z + alpha * result; z is not read when beta is 0."""
    result = as_pair(scale(result, alpha))
    return result if beta == 0 else add(scale(z, beta), result)


@bilinear(aten.addmm.default, narrow=functools.partial(_narrow_affine, aten.addmm.default))
def addmm(z: Pair, a: Pair, b: Pair, *, beta: Any = 1, alpha: Any = 1) -> Pair:
    """Sum beta z + alpha a b."""
    return affine(z, mm(a, b), beta, alpha)


@bilinear(
    aten.baddbmm.default,
    data=("self", "batch1", "batch2"),
    narrow=functools.partial(_narrow_affine, aten.baddbmm.default),
)
def baddbmm(z: Pair, a: Pair, b: Pair, *, beta: Any = 1, alpha: Any = 1) -> Pair:
    """Sum beta z + alpha a b, batched."""
    return affine(z, bmm(a, b), beta, alpha)


# Bandwidth-bound: an elementwise product and a sum, which fuse with what is around them.


@reduction(aten.mv.default, data=("self", "vec"))
def mv(a: Pair, v: Pair) -> Pair:
    """Matrix-vector product; shapes (n, k) and (k,) give (n,)."""
    terms = mul(a, v)
    return Pair(terms.re.sum(1), terms.im.sum(1))


@reduction(aten.addmv.default, data=("self", "mat", "vec"))
def addmv(z: Pair, a: Pair, v: Pair, *, beta: Any = 1, alpha: Any = 1) -> Pair:
    """Sum beta z + alpha a v."""
    return affine(z, mv(a, v), beta, alpha)


@reduction(aten.dot.default, data=("self", "tensor"))
def dot(a: Pair, b: Pair) -> Pair:
    """Sum of a_i b_i, without conjugation."""
    terms = mul(a, b)
    return Pair(terms.re.sum(), terms.im.sum())


@reduction(aten.vdot.default, data=("self", "other"))
def vdot(a: Pair, b: Pair) -> Pair:
    """Sum of conj(a_i) b_i."""
    return dot(Pair(a.re, -a.im), b)


@reduction(aten.addr.default, data=("self", "vec1", "vec2"))
def addr(z: Pair, u: Pair, v: Pair, *, beta: Any = 1, alpha: Any = 1) -> Pair:
    """Sum beta z + alpha u v^T."""
    outer = mul(Pair(u.re.unsqueeze(1), u.im.unsqueeze(1)), v)
    return affine(z, outer, beta, alpha)
