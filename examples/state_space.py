"""A diagonal state-space layer (S4D) that learns a filter: complex exponentials, then an FFT.

The kernel is a sum of complex exponentials over the states, never stored one by one: compiled, they
are summed as they are computed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import torch_complex_subclass as tcs


class S4D(nn.Module):
    """Convolves `(batch, length)` causally with Re sum_n c_n exp(a_n t), one channel."""

    def __init__(self, states: int, dt: float = 0.05) -> None:
        super().__init__()
        self.dt = dt
        self.log_rate = nn.Parameter(torch.full((states,), 0.5).log())
        self.frequency = nn.Parameter(torch.pi * torch.arange(states))
        self.c = nn.Parameter(torch.randn(states, dtype=torch.complex64) / states)

    def kernel(self, length: int) -> Tensor:
        """Response `(length,)` to an impulse, with the input held between samples."""
        a = torch.complex(-self.log_rate.exp(), self.frequency)
        t = self.dt * torch.arange(length)
        scaled = self.c * torch.expm1(a * self.dt) / a
        return 2 * (scaled[:, None] * torch.exp(a[:, None] * t)).sum(0).real

    def forward(self, u: Tensor) -> Tensor:
        n = u.shape[-1]
        spectrum = torch.fft.rfft(u, 2 * n) * torch.fft.rfft(self.kernel(n), 2 * n)
        return torch.fft.irfft(spectrum, 2 * n)[..., :n]


def loss(layer: S4D, u: Tensor, y: Tensor) -> Tensor:
    return (layer(u) - y).square().mean()


def main() -> None:
    torch.manual_seed(0)
    tcs.enable()
    layer, teacher = S4D(16), S4D(16)
    u = torch.randn(8, 128)
    y = teacher(u).detach()
    compiled = torch.compile(loss, fullgraph=True)

    parameters = list(layer.parameters())
    ours, eager = (torch.autograd.grad(fn(layer, u, y), parameters) for fn in (compiled, loss))
    worst = max(((a - b).norm() / b.norm()).item() for a, b in zip(ours, eager, strict=True))
    assert worst <= 1e-4, f"gradients of compiled and eager differ by {worst}"

    optimizer = torch.optim.Adam(parameters, lr=0.01)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        value = compiled(layer, u, y)
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0] / 10, f"the loss went from {losses[0]} to {losses[-1]} only"
    print(f"state space: loss from {losses[0]:.1e} to {losses[-1]:.1e}, as gradients of eager")


if __name__ == "__main__":
    main()
