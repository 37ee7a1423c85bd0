"""
Train a complex network, and find the op that did not fuse
==========================================================

A row of antennas hears a plane wave, and a network with complex parameters tells from which side it
comes. The program is compiled and trained, and `tcs.explain` says which op keeps the library's
kernel, and what to write instead. All output on this page comes from running it.
"""

# %%
# The model
# ---------
#
# The wave reaches antenna after antenna with a phase that depends on its direction. Each antenna
# has an error of its own phase; errors add up along the cable, so they are a running product of
# numbers of modulus 1. The network learns the errors, and weights that form one beam for each
# direction. All of this is written with complex tensors.

import torch
from torch import Tensor, nn

import torch_complex_subclass as tcs

torch.manual_seed(0)
ANTENNAS, DIRECTIONS = 32, 8


def waves(directions: Tensor) -> Tensor:
    """Signals `(n, ANTENNAS)` of plane waves from `directions`, each in 0 to DIRECTIONS - 1."""
    sine = (directions + 0.5) * 2 / DIRECTIONS - 1
    phase = torch.pi * sine[:, None] * torch.arange(ANTENNAS)
    noise = torch.randn(len(directions), ANTENNAS, dtype=torch.complex64)
    return torch.polar(torch.ones_like(phase), phase) + noise


class Beams(nn.Module):
    """Logits of the directions: the log of the power in each beam."""

    def __init__(self) -> None:
        super().__init__()
        self.error = nn.Parameter(torch.ones(ANTENNAS, dtype=torch.complex64))
        start = torch.randn(ANTENNAS, DIRECTIONS, dtype=torch.complex64)
        self.weight = nn.Parameter(start / ANTENNAS**0.5)

    def forward(self, signal: Tensor) -> Tensor:
        along_the_cable = torch.cumprod(self.error / self.error.abs(), 0)
        beams = (signal * along_the_cable.conj()) @ self.weight
        return beams.abs().square().log1p()


# %%
# Compile and train
# -----------------
#
# Complex parameters, a real loss, an optimizer of torch: nothing is special. `fullgraph=True` makes
# sure that nothing falls out of the graph.

tcs.enable()
model = Beams()
compiled = torch.compile(model, fullgraph=True)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)

for step in range(61):
    directions = torch.randint(DIRECTIONS, (256,))
    loss = nn.functional.cross_entropy(compiled(waves(directions)), directions)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:2}: loss {loss.item():.3f}")

# %%
# The compiled model has the values of the eager one.

signal = waves(torch.randint(DIRECTIONS, (256,)))
torch.testing.assert_close(compiled(signal), model(signal), rtol=1e-4, atol=1e-4)

# %%
# What became of each op
# ----------------------

found = tcs.explain(model, signal)
found

# %%
# `native` stands beside two ops. The product with the weights, `aten.mm`, belongs to the library:
# nothing to do. But `aten.cumprod` is a complex kernel of its own in the middle of elementwise
# work, and its gradient is long. Beside it stands a way out, `torch.polar` of real scans. Here the
# moduli are 1, so the running product is a sum of angles.
#
# The rewrite
# -----------


class BeamsByAngles(Beams):
    """The same, with the running product of phases as a running sum of angles."""

    def forward(self, signal: Tensor) -> Tensor:
        angle = self.error.angle().cumsum(0)
        along_the_cable = torch.polar(torch.ones_like(angle), angle)
        beams = (signal * along_the_cable.conj()) @ self.weight
        return beams.abs().square().log1p()


rewritten = BeamsByAngles()
rewritten.load_state_dict(model.state_dict())
torch.testing.assert_close(rewritten(signal), model(signal), rtol=1e-4, atol=1e-4)
better = tcs.explain(rewritten, signal)
print("before:", found.fallbacks)
print("after: ", better.fallbacks)

# %%
# As text, for a terminal:

print(better)

# %%
# `tcs.explain(model, signal).save("explain.html")` writes the page above to a file, and
# `profile=True` adds the time of each kernel.

tcs.disable()
