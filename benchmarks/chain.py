"""Times a chain of ten complex elementwise ops: eager, stock torch.compile, and ours.

    python benchmarks/chain.py

One process, the three in turn, medians. Prints milliseconds and ratios.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from timing import medians
from torch import Tensor

import torch_complex_subclass  # noqa: F401  so that the backend exists uninstalled too

LENGTH = 2**20


def chain(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Sums, products and a quotient, as in wave propagation."""
    z = a * b.conj()
    z = z + c
    z = z * z
    z = z - a * 0.5
    z = z * (1 + 2j)
    z = z / (b + 2)
    z = z.conj() * a
    z = -z + 1j
    return z * c + b


def main() -> None:
    operands = [torch.randn(LENGTH, dtype=torch.complex64, requires_grad=True) for _ in range(3)]
    seed = torch.randn(LENGTH, dtype=torch.complex64)
    ways = {
        "eager": chain,
        "stock": torch.compile(chain, fullgraph=True),
        "ours": torch.compile(chain, fullgraph=True, backend="inductor_complex"),
    }

    @torch.no_grad()
    def infer(fn: Callable[..., Tensor]) -> Tensor:
        return fn(*operands)

    def train(fn: Callable[..., Tensor]) -> object:
        return torch.autograd.grad(fn(*operands), operands, seed)

    for title, step in (("inference", infer), ("forward and backward", train)):
        found = medians({name: functools.partial(step, fn) for name, fn in ways.items()})
        cells = ", ".join(f"{name} {ms:.2f} ms" for name, ms in found.items())
        ratios = [found[name] / found["ours"] for name in ("eager", "stock")]
        print(f"{title}: {cells}; ours {ratios[0]:.1f}x eager, {ratios[1]:.1f}x stock")


if __name__ == "__main__":
    main()
