"""Differentiable ways into and out of ComplexTensor.

A gradient of a complex tensor is the conjugate Wirtinger derivative, as everywhere in torch: its
real and imaginary part are the derivatives by the real and the imaginary part.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torch_complex_subclass import storage
from torch_complex_subclass.tensor import ComplexTensor


class FromParts(torch.autograd.Function):
    """Real tensors re and im, both `(...)`, to complex `(...)`."""

    @staticmethod
    def forward(ctx: Any, re: Tensor, im: Tensor) -> ComplexTensor:
        return ComplexTensor._wrap(*storage.in_one_block(re.detach(), im.detach()))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        return torch.real(grad), torch.imag(grad)

    @staticmethod
    def jvp(ctx: Any, re: Tensor, im: Tensor) -> ComplexTensor:  # type: ignore[override]
        return ComplexTensor.from_parts(re, im)


class FromInterleaved(torch.autograd.Function):
    """Real `(..., 2)` to complex `(...)`, sharing memory."""

    @staticmethod
    def forward(ctx: Any, t: Tensor) -> ComplexTensor:
        t = t.detach()
        return ComplexTensor._wrap(t.select(-1, 0), t.select(-1, 1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return torch.view_as_real(grad.resolve_conj())

    @staticmethod
    def jvp(ctx: Any, t: Tensor) -> ComplexTensor:  # type: ignore[override]
        return ComplexTensor.from_interleaved(t)


class ToComplex(torch.autograd.Function):
    """ComplexTensor to the plain complex tensor of the same values."""

    @staticmethod
    def forward(ctx: Any, z: ComplexTensor) -> Tensor:
        return storage.to_plain(z.re, z.im)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        return ComplexTensor.from_complex(grad)

    @staticmethod
    def jvp(ctx: Any, z: ComplexTensor) -> Tensor:  # type: ignore[override]
        return z.to_complex()
