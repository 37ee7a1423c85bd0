"""Error-free pieces and scaled primitives that the rules share, with the ranges they hold on."""

from __future__ import annotations

import torch
from torch import Tensor


def quarter_scale(size: Tensor) -> tuple[Tensor, Tensor]:
    """Powers of four that bring `size` away from overflow and underflow, with square roots.

    Returns `(scale, root)` with `scale = root**2`. For finite positive `size` the product
    `size * scale` lies in [tiny / eps, max / 8]; multiplication by either factor is exact
    unless its result is subnormal. Domain: size >= 0, finite or not.
    """
    fi = torch.finfo(size.dtype)
    low, high = size < fi.tiny / fi.eps, size > fi.max / 8
    one = torch.ones_like(size)  # keeps the dtype: where() of two floats would be float32
    root = torch.where(low, 1 / fi.eps, torch.where(high, 0.25, one))
    return root * root, root
