"""How the two parts of a ComplexTensor lie in memory.

Parts that share an allocation and have equal strides differ by one constant offset: 1 when they
are interleaved, the number of elements when one follows the other. Such a pair has a real view of
shape `(..., 2)`, its *block*, which is what `view_as_real` promises.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import errors
from torch_complex_subclass.dtypes import COMPLEX_OF
from torch_complex_subclass.torch_compat import all_known_even, has_plain_storage, storage_id


def check_part_dtype(part: Tensor) -> None:
    """Raise TypeError for a dtype that parts cannot have."""
    if part.dtype not in COMPLEX_OF:
        names = ", ".join(str(d) for d in COMPLEX_OF)
        raise TypeError(f"parts must have one of the dtypes {names}; got {part.dtype}")


def check_parts(re: Tensor, im: Tensor) -> None:
    """Raise TypeError or ValueError for parts that do not make a complex tensor."""
    for name, part in (("re", re), ("im", im)):
        if not isinstance(part, Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(part).__name__}: {part!r}")
        check_part_dtype(part)
    if (re.shape, re.dtype, re.device) != (im.shape, im.dtype, im.device):
        raise ValueError(
            "re and im must agree in shape, dtype and device; got "
            f"{errors.describe([re])} on {re.device} and {errors.describe([im])} on {im.device}"
        )


def offset(re: Tensor, im: Tensor) -> int | torch.SymInt | None:
    """Return the distance from `re` to `im` in elements, or None when it is not constant."""
    if not (has_plain_storage(re) and has_plain_storage(im)) or re.stride() != im.stride():
        return None
    if storage_id(re) != storage_id(im):
        return None
    distance = im.storage_offset() - re.storage_offset()
    # Parts of a broadcast value may be the same memory: writing one would write the other.
    return distance if isinstance(distance, int | torch.SymInt) and distance > 0 else None


def existing_block(re: Tensor, im: Tensor) -> Tensor | None:
    """Return the `(..., 2)` view of parts that lie in one block, else None."""
    distance = offset(re, im)
    # Strides of an empty tensor say nothing, and `view_as_complex` checks them all the same.
    if distance is None or re.numel() == 0:
        return None
    return re.as_strided((*re.shape, 2), (*re.stride(), distance), re.storage_offset())


def new_block(re: Tensor, im: Tensor) -> Tensor:
    """Copy parts of shape `(...)` into a new block `(..., 2)`.

    The copy is interleaved, as plain complex tensors are, and the order of dimensions in memory
    is that of `re`.
    """
    if re.is_contiguous():
        return torch.stack([re, im], -1)
    order = sorted(range(re.dim()), key=lambda d: re.stride(d), reverse=True)
    block = torch.stack([re.permute(order), im.permute(order)], -1)
    return block.permute([*map(order.index, range(re.dim())), re.dim()])


def block_of(re: Tensor, im: Tensor) -> Tensor:
    """Return the block that the parts lie in, or a new one."""
    block = existing_block(re, im)
    return new_block(re, im) if block is None else block


def complex_strides(re: Tensor) -> tuple[int, ...]:
    """Strides of the complex tensor whose real part is `re`.

    Those of interleaved memory, in complex elements, when they can be: every stride of `re` is
    then even. Parts with even strides that lie apart are reported alike, since they allow the
    same views; a rule on `re` alone gives one answer in eager, fake and functional tensors.
    """
    n = step(re)
    return tuple(s // n for s in re.stride())


def step(re: Tensor) -> int:
    """Elements of `re` to one of the complex tensor; see `complex_strides`.

    Without dimensions the offset tells: that of an interleaved real part is even.
    """
    return 2 if all_known_even(re.stride() if re.dim() else [re.storage_offset()]) else 1


def to_plain(re: Tensor, im: Tensor) -> Tensor:
    """Return a plain complex tensor; a view when the parts are interleaved, but for bfloat16."""
    is_plain = re.dtype != torch.bfloat16
    if is_plain and offset(re, im) == 1 and all_known_even([*re.stride(), re.storage_offset()]):
        block = existing_block(re, im)
        if block is not None:
            return torch.view_as_complex(block)
    return plain_copy(re, im)


def plain_copy(re: Tensor, im: Tensor) -> Tensor:
    """Copy parts to a new plain complex tensor; to complex64 if they are bfloat16."""
    if re.dtype == torch.bfloat16:
        re, im = re.float(), im.float()
    return torch.complex(re, im)


def as_strided(z: Any, size: Any, stride: Any, offset: Any = None) -> tuple[Tensor, Tensor, Any]:
    """View the parts of a ComplexTensor with strides and offset in its elements.

    Returns both parts, which may lie in either order, and the strides.
    """
    step_between = step(z.re)
    shift = 0 if offset is None else (offset - z.storage_offset()) * step_between
    strides = [s * step_between for s in stride]
    re, im = (p.as_strided(size, strides, p.storage_offset() + shift) for p in (z.re, z.im))
    return re, im, stride
