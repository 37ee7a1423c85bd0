"""How the two parts of a ComplexTensor lie in memory.

Parts that share an allocation and have equal strides differ by one constant offset: 1 when they
are interleaved, the number of elements when one follows the other. Such a pair has a real view of
shape `(..., 2)`, which is what `view_as_real` promises.
"""

from __future__ import annotations

import torch
from torch import Tensor

from torch_complex_subclass.torch_compat import has_plain_storage


def offset(re: Tensor, im: Tensor) -> int | None:
    """Return the distance from `re` to `im` in elements, or None when it is not constant."""
    if not (has_plain_storage(re) and has_plain_storage(im)) or re.stride() != im.stride():
        return None
    if re.untyped_storage()._cdata != im.untyped_storage()._cdata:
        return None
    distance = im.storage_offset() - re.storage_offset()
    return distance if isinstance(distance, int) and distance > 0 else None


def in_one_block(re: Tensor, im: Tensor) -> tuple[Tensor, Tensor]:
    """Return the parts as they are when they share memory, else copies that do.

    The copy is planar: all of the real part, then all of the imaginary one.
    """
    if offset(re, im) is not None:
        return re, im
    block = torch.stack([re.detach(), im.detach()])
    if not re.is_contiguous() and has_plain_storage(re):
        layout = torch.empty_like(re).stride()
        block = torch.empty_strided(
            (2, *re.shape), (re.numel(), *layout), dtype=re.dtype, device=re.device
        ).copy_(block)
    return block.select(0, 0), block.select(0, 1)


def complex_strides(re: Tensor, im: Tensor) -> tuple[int, ...]:
    """Strides of the complex tensor, in complex elements when the parts are interleaved."""
    if offset(re, im) == 1 and all(s % 2 == 0 for s in re.stride()):
        return tuple(s // 2 for s in re.stride())
    return re.stride()


def real_view(re: Tensor, im: Tensor) -> Tensor:
    """Return the `(..., 2)` view of parts in one block; a copy when they are not."""
    distance = offset(re, im)
    if distance is None:
        return torch.stack([re, im], -1)
    return re.as_strided((*re.shape, 2), (*re.stride(), distance), re.storage_offset())


def to_plain(re: Tensor, im: Tensor) -> Tensor:
    """Return a plain complex tensor; a view when the parts are interleaved."""
    if offset(re, im) == 1 and all(s % 2 == 0 for s in re.stride()):
        return torch.view_as_complex(real_view(re, im))
    return torch.complex(re, im)
