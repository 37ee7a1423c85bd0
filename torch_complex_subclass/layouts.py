"""What AOTAutograd holds of a ComplexTensor: one block of both parts, or parts that lie apart.

Compiled code reads both parts of an element of a block at once, and writes to one tensor.
"""

from __future__ import annotations

import hashlib
from typing import Any

from torch_complex_subclass import storage
from torch_complex_subclass.torch_compat import (
    is_memory,
    is_view,
    no_dispatch_modes,
    tensor_metadata,
)

BLOCK = "block"
PARTS = "parts"

ATTRIBUTES = {BLOCK: ["_block"], PARTS: ["re", "im"]}
"""The attributes of a ComplexTensor that hold its data."""


def layout_of(z: Any) -> str:
    """Return BLOCK or PARTS. What a tracer follows stays in the layout that it came in.

    A view that autograd knows of is PARTS: Dynamo makes it anew from its base, part by part.
    """
    if is_view(z):
        return PARTS
    if is_memory(z.re):
        if z._block is None:
            with no_dispatch_modes():  # a tracer that meets this tensor knows nothing of its parts
                z._block = storage.existing_block(z.re, z.im)
        z._is_whole = z._block is not None
    return BLOCK if z._is_whole else PARTS


def cache_key(z: Any) -> str:
    """Hash what code compiled for `z` depends on; the same in every process, whatever the values.

    AOTAutograd finds code that it kept on disk by this.
    """
    layout = layout_of(z)
    parts = [tensor_metadata(getattr(z, name)) for name in ATTRIBUTES[layout]]
    key = repr((layout, z.shape, z.stride(), z.requires_grad, parts))
    return hashlib.sha256(key.encode()).hexdigest()


def relaid(z: Any, layout: str) -> Any:
    """Return `z` in another layout."""
    if layout == BLOCK:
        return type(z)._wrap_block(z.block)
    return type(z)._wrap(z.re.clone(), z.im.clone())
