"""How a ComplexTensor is printed."""

from __future__ import annotations

from typing import Any

import torch

from torch_complex_subclass import bfloat16_parts, storage


def text(z: Any) -> str:
    """Return what `repr` says: the values, the dtype where it is ours, and what autograd knows."""
    with torch.no_grad():
        # Of the parts: no op, since one that returns a view would move them together.
        plain = storage.to_plain(z.re, z.im)
        values = repr(plain).removeprefix("tensor(").removesuffix(")")
    suffix = ", requires_grad=True" if z.requires_grad and z.is_leaf else ""
    if z.grad_fn is not None:
        suffix = f", grad_fn=<{type(z.grad_fn).__name__}>"
    own = f", dtype={bfloat16_parts.NAME}" if bfloat16_parts.has_bfloat16_parts(z) else ""
    return f"ComplexTensor({values}{own}{suffix})"
