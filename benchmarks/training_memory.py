"""Peak memory of training steps: complex64 and `tcs.autocast`, compiled and in eager.

    python benchmarks/training_memory.py [--only NAME ...]

A step is forward, loss and backward, from gradients that are None to gradients. Prints the most
that it holds at a time of what it allocates, in MB, and how much less autocast holds. Networks of
real numbers, float32 and `torch.autocast` in bfloat16, say what stock torch saves on the same
shape of program.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import torch_complex_subclass as tcs
from torch_complex_subclass.bench.memory import peak_bytes

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from _digits.data import CLASSES, SIDE
from _digits.model import FourierClassifier
from fourier_operator import FourierLayer
from rotary_embedding import angles

Program = tuple[nn.Module, Callable[..., Tensor], tuple[Tensor, ...]]


class Residual(nn.Module):
    """Layers z + linear(z)."""

    def __init__(self, depth: int, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width, dtype=dtype) for _ in range(depth))

    def forward(self, z: Tensor) -> Tensor:
        for layer in self.layers:
            z = z + layer(z)
        return z


class Scores(nn.Module):
    """Scores of an attention whose queries and keys are turned by a rotary embedding."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.queries, self.keys = (nn.Linear(width, width, dtype=torch.complex64) for _ in "qk")

    def forward(self, tokens: Tensor, freqs: Tensor) -> Tensor:
        queries, keys = (linear(tokens) * freqs for linear in (self.queries, self.keys))
        return torch.einsum("bid,bjd->bij", queries, keys.conj()).abs()


def residual(depth: int, dtype: torch.dtype = torch.complex64, narrow: bool = False) -> Program:
    z = torch.randn(4096, 64, dtype=dtype)
    z = tcs.to_bcomplex32(z) if narrow else z
    return Residual(depth, 64, dtype), lambda z: z.abs().square().mean(), (z,)


def digits() -> Program:
    labels = torch.randint(CLASSES, (256,))
    net = FourierClassifier(SIDE, CLASSES)
    return net, lambda logits: F.cross_entropy(logits, labels), (torch.randn(256, SIDE, SIDE),)


def operator() -> Program:
    x, y = torch.randn(8, 16, 64, 64), torch.randn(8, 16, 64, 64)
    return FourierLayer(16, 8), lambda out: F.mse_loss(out, y), (x,)


def rotary() -> Program:
    tokens = torch.randn(8, 256, 64, dtype=torch.complex64)
    wanted = torch.randn(8, 256, 256)
    return Scores(64), lambda out: F.mse_loss(out, wanted), (tokens, angles(256, 128))


PROGRAMS: dict[str, Callable[[], Program]] = {
    "residual, 12 layers": partial(residual, 12),
    "residual, 12 layers, bcomplex32 input": partial(residual, 12, narrow=True),
    "residual, 3 layers": partial(residual, 3),
    "residual, 3 layers, bcomplex32 input": partial(residual, 3, narrow=True),
    "digits": digits,
    "fourier operator": operator,
    "rotary embedding": rotary,
    "real residual, 12 layers": partial(residual, 12, torch.float32),
    "real residual, 3 layers": partial(residual, 3, torch.float32),
}


def peak(program: Program, narrow: bool, compiled: bool) -> int:
    """Most bytes that one training step holds at a time."""
    net, loss, inputs = program
    is_complex = any(p.is_complex() for p in net.parameters())
    cast: Any = tcs.autocast if is_complex else partial(torch.autocast, dtype=torch.bfloat16)

    def forward(*inputs: Tensor) -> Tensor:
        with cast("cpu") if narrow else nullcontext():
            return loss(net(*inputs))

    torch._dynamo.reset()
    run = torch.compile(forward, fullgraph=True) if compiled else forward
    if not narrow:
        inputs = tuple(t.to_complex() if hasattr(t, "to_complex") else t for t in inputs)

    def step() -> Tensor:
        net.zero_grad()
        value = run(*inputs)
        value.backward()
        return value

    with tcs.enabled() if is_complex else nullcontext():
        return peak_bytes(step, torch.device("cpu"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=PROGRAMS)
    for name in parser.parse_args().only:
        for compiled in (False, True):
            torch.manual_seed(0)
            program = PROGRAMS[name]()
            wide, narrow = (peak(program, narrow, compiled) / 1e6 for narrow in (False, True))
            way = "compiled" if compiled else "eager"
            less = 1 - narrow / wide
            print(f"{name:40} {way:9} {wide:7.2f} {narrow:7.2f} {less:7.1%}", flush=True)


if __name__ == "__main__":
    main()
