"""A module whose complex state is changed in place inside the compiled graph.

A bank of damped oscillators is driven by a real signal: z <- decay z + gain x. The state is a
complex buffer; every call writes it back to the same memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

import torch_complex_subclass as tcs


class Oscillators(nn.Module):
    """Drives `n` oscillators; an input `(steps,)` gives outputs `(steps, n)`."""

    state: Tensor
    decay: Tensor

    def __init__(self, n: int) -> None:
        super().__init__()
        rates = torch.linspace(0.01, 0.1, n)
        frequencies = torch.linspace(0.1, 3.0, n)
        self.register_buffer("state", torch.zeros(n, dtype=torch.complex64))
        self.register_buffer("decay", torch.polar(torch.exp(-rates), frequencies))
        self.gain = nn.Parameter(torch.ones(n, dtype=torch.complex64))

    def forward(self, signal: Tensor) -> Tensor:
        outputs = []
        for x in signal:
            self.state.mul_(self.decay).add_(self.gain.detach() * x)
            outputs.append(self.state.abs())
        return torch.stack(outputs)


def main() -> None:
    torch.manual_seed(0)
    tcs.enable()
    eager, ours = Oscillators(256), Oscillators(256)
    compiled = torch.compile(ours, fullgraph=True)
    memory = ours.state.data_ptr()

    worst = 0.0
    for _ in range(3):
        signal = torch.randn(16)
        worst = max(worst, (compiled(signal) - eager(signal)).abs().max().item())
    assert ours.state.data_ptr() == memory, "the state moved to other memory"
    worst = max(worst, (ours.state - eager.state).abs().max().item())
    assert worst <= 1e-5, f"compiled and eager differ by {worst}"
    print(f"mutated state: written in place, within {worst:.1e} of eager")


if __name__ == "__main__":
    main()
