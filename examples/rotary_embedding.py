"""Rotary embedding as Llama writes it: bfloat16 activations turned by complex64 angles.

Compiled, the view as complex, the product and the way back are one kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor

import torch_complex_subclass as tcs


def angles(length: int, dim: int, base: float = 10_000.0) -> Tensor:
    """Unit complex numbers `(length, dim / 2)`; row t turns position t."""
    frequencies = base ** (-torch.arange(0, dim, 2, dtype=torch.float32) / dim)
    phases = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    return torch.polar(torch.ones_like(phases), phases)


def rotate(x: Tensor, freqs: Tensor) -> Tensor:
    """Turn pairs of neighbours of x `(batch, length, heads, dim)` by freqs `(length, dim / 2)`."""
    z = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(z * freqs[:, None, :]).flatten(-2).to(x.dtype)


def embed(queries: Tensor, keys: Tensor, freqs: Tensor) -> tuple[Tensor, Tensor]:
    """Give both sides of the attention their positions."""
    return rotate(queries, freqs), rotate(keys, freqs)


def main() -> None:
    torch.manual_seed(0)
    heads, dim = 8, 64
    tcs.enable()
    compiled = torch.compile(embed, fullgraph=True, dynamic=True)

    worst = 0.0
    for batch, length in ((2, 128), (3, 100)):  # one compilation serves every batch and length
        shape = (batch, length, heads, dim)
        queries, keys = (torch.randn(shape, dtype=torch.bfloat16) for _ in range(2))
        freqs = angles(length, dim)
        pairs = zip(compiled(queries, keys, freqs), embed(queries, keys, freqs), strict=True)
        worst = max([worst, *((a - b).abs().max().item() for a, b in pairs)])
    # A bfloat16 of size 4 is rounded to within 2**-7; one rounding may go the other way.
    assert worst <= 2**-6, f"compiled and eager differ by {worst}"
    print(f"rotary embedding: largest difference to eager {worst:.1e}")


if __name__ == "__main__":
    main()
