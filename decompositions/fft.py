"""Fourier transforms: library calls on interleaved memory."""

from __future__ import annotations

import torch

from torch_complex_subclass.decompositions.registry import native

aten = torch.ops.aten

native(
    aten._fft_c2c.default,
    aten._fft_c2r.default,
    aten._fft_r2c.default,
    reason="the library transforms interleaved memory; splitting it would only copy",
)
