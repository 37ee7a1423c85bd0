"""The seven models of W1: one quadratic form in a complex state.

All compute `out[t, k] = Re sum_ija conj(psi[i]) form[k, i, j, a] x[t, a] psi[j]`, with x real
`(t, a)`, psi complex `(i,)`, form complex `(k, i, i, a)`, and return `(t, k)`. They differ in what
their parameters are, and in how much of the complex arithmetic the author writes out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def native(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """One einsum on complex tensors."""
    return torch.einsum("i,kija,ta,j->tk", psi.conj(), form, x.to(psi.dtype), psi).real


def vmapped(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """The score of one sample in one class, mapped over both."""

    def score(sample: Tensor, weights: Tensor) -> Tensor:
        return torch.einsum("i,ija,j->a", psi.conj(), weights, psi).real @ sample

    of_all_classes = torch.vmap(score, in_dims=(None, 0))
    return torch.vmap(of_all_classes, in_dims=(0, None))(x, form)


def functional(
    x: Tensor, psi_re: Tensor, psi_im: Tensor, form_re: Tensor, form_im: Tensor
) -> Tensor:
    """The four real products that the real part has, an einsum for each."""
    terms = "i,kija,ta,j->tk"
    return (
        torch.einsum(terms, psi_re, form_re, x, psi_re)
        + torch.einsum(terms, psi_im, form_re, x, psi_im)
        - torch.einsum(terms, psi_re, form_im, x, psi_im)
        + torch.einsum(terms, psi_im, form_im, x, psi_re)
    )


def from_parts(
    x: Tensor, psi_re: Tensor, psi_im: Tensor, form_re: Tensor, form_im: Tensor
) -> Tensor:
    """Complex tensors made of real and imaginary parameters at each call."""
    return native(x, torch.complex(psi_re, psi_im), torch.complex(form_re, form_im))


def original(x: Tensor, psi_re: Tensor, psi_im: Tensor, form_re: Tensor, form_im: Tensor) -> Tensor:
    """All products element by element on broadcast real tensors."""
    outer_re = psi_re[:, None] * psi_re[None, :] + psi_im[:, None] * psi_im[None, :]
    outer_im = psi_re[:, None] * psi_im[None, :] - psi_im[:, None] * psi_re[None, :]
    terms = form_re * outer_re[None, :, :, None] - form_im * outer_im[None, :, :, None]
    weights = terms.sum(dim=(1, 2))
    return (x[:, None, :] * weights[None, :, :]).sum(dim=-1)


def structured(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """One einsum on real tensors whose last dimension holds both parts."""
    # Real part of conj(p) q r: which parts u, v, w multiply, and with what sign.
    signs = x.new_zeros(2, 2, 2)
    signs[0, 0, 0] = signs[1, 0, 1] = signs[1, 1, 0] = 1
    signs[0, 1, 1] = -1
    return torch.einsum("iu,kijav,ta,jw,uvw->tk", psi, form, x, psi, signs)


def hybrid(x: Tensor, psi: Tensor, form: Tensor) -> Tensor:
    """Real storage with both parts in the last dimension, viewed as complex to compute."""
    return native(x, torch.view_as_complex(psi), torch.view_as_complex(form))


class _Complex(nn.Module):
    """Complex parameters."""

    def __init__(self, psi: Tensor, form: Tensor) -> None:
        super().__init__()
        self.psi, self.form = (nn.Parameter(t.clone()) for t in (psi, form))

    def gradients(self) -> list[Tensor]:
        """Gradients by psi and form in torch's convention for complex parameters."""
        return [t.grad for t in self.parameters() if t.grad is not None]


class _Parts(nn.Module):
    """Two real parameters for each complex one."""

    def __init__(self, psi: Tensor, form: Tensor) -> None:
        super().__init__()
        self.psi_re, self.psi_im = (nn.Parameter(t.clone()) for t in (psi.real, psi.imag))
        self.form_re, self.form_im = (nn.Parameter(t.clone()) for t in (form.real, form.imag))

    def gradients(self) -> list[Tensor]:
        """As of complex parameters."""
        found = [t.grad for t in self.parameters() if t.grad is not None]
        return [torch.complex(re, im) for re, im in zip(found[::2], found[1::2], strict=True)]


class _Pairs(nn.Module):
    """One real parameter `(..., 2)` for each complex one."""

    def __init__(self, psi: Tensor, form: Tensor) -> None:
        super().__init__()
        self.psi, self.form = (nn.Parameter(torch.view_as_real(t).clone()) for t in (psi, form))

    def gradients(self) -> list[Tensor]:
        """As of complex parameters."""
        return [torch.view_as_complex(t.grad) for t in self.parameters() if t.grad is not None]


class Functional(_Parts):
    """Real and imaginary part expanded by hand into real einsums."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return functional(x, self.psi_re, self.psi_im, self.form_re, self.form_im)


class Vmap(_Complex):
    """Written for one sample and one class, mapped by torch.vmap."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return vmapped(x, self.psi, self.form)


class ComplexParameters(_Parts):
    """Real and imaginary parameter, of which each call forms a complex tensor."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return from_parts(x, self.psi_re, self.psi_im, self.form_re, self.form_im)


class Native(_Complex):
    """Complex parameters and nothing else."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return native(x, self.psi, self.form)


class Original(_Parts):
    """Every product written out by elements."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return original(x, self.psi_re, self.psi_im, self.form_re, self.form_im)


class Structured(_Pairs):
    """One real parameter with a trailing dimension of 2, real products."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return structured(x, self.psi, self.form)


class Hybrid(_Pairs):
    """Real storage, complex computation."""

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(t, k)` of samples `(t, a)`."""
        return hybrid(x, self.psi, self.form)


Model = Functional | Vmap | ComplexParameters | Native | Original | Structured | Hybrid

MODELS: tuple[type[Model], ...] = (
    Functional,
    Vmap,
    ComplexParameters,
    Native,
    Original,
    Structured,
    Hybrid,
)
"""In the published order."""
