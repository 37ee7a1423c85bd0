"""Random numbers: drawn by the library, so that a seed gives the numbers that eager draws."""

from __future__ import annotations

import torch

from torch_complex_subclass.decompositions.registry import native

aten = torch.ops.aten

native(
    aten.native_dropout.default,
    aten.normal.Tensor_Tensor,
    aten.normal.Tensor_float,
    aten.normal.float_float,
    aten.normal_functional.default,
    aten.rand.default,
    aten.rand.generator,
    aten.rand_like.default,
    aten.randint_like.default,
    aten.randint_like.low_dtype,
    aten.randn.default,
    aten.randn.generator,
    aten.randn_like.default,
    aten.uniform.default,
    reason="the same seed has to give the numbers that eager draws",
)
