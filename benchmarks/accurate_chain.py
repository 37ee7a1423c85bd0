"""Times the accurate rules against textbook formulas written out by hand, and eager.

    python benchmarks/accurate_chain.py [FUNCTION ...] [--dtype complex64]

Each row is one function, or a chain of many, on 2^20 elements. All three read and write complex
memory: "textbook" is the formula on the real and the imaginary part compiled by Inductor with its
ends read and written as ours are; "accurate" is the function compiled with our rules. One process,
the three in turn, medians of milliseconds.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable

import textbook
import torch
from tabulate import tabulate
from textbook import Parts
from torch import Tensor

import torch_complex_subclass  # noqa: F401  so that the backend exists uninstalled too
from torch_complex_subclass.bench.runner import interleaved

LENGTH = 2**20
ROUNDS = 31


def wave(a: Tensor, b: Tensor) -> Tensor:
    """Transmission of a wave through a layer."""
    phase = torch.exp(a * b)
    index = torch.sqrt(a / (b + 2))
    z = torch.sin(index) + phase * b
    z = torch.log(z + 3) * torch.reciprocal(index)
    return z * z.abs() + torch.asinh(a * z)


def wave_by_hand(a: Parts, b: Parts) -> Parts:
    """`wave` by textbook formulas."""
    tb = textbook
    phase = tb.exp(tb.mul(a, b))
    index = tb.sqrt(tb.div(a, (b[0] + 2, b[1])))
    s, t = tb.sin(index), tb.mul(phase, b)
    z = s[0] + t[0], s[1] + t[1]
    z = tb.mul(tb.log((z[0] + 3, z[1])), tb.reciprocal(index))
    size, s = tb.modulus(z), tb.asinh(tb.mul(a, z))
    return z[0] * size + s[0], z[1] * size + s[1]


def gated(a: Tensor, b: Tensor) -> Tensor:
    """`wave` with saturating responses, whose rules compute in twice the digits."""
    z = wave(a, torch.tanh(b))
    return torch.sigmoid(z / (a + 4)) * b


def gated_by_hand(a: Parts, b: Parts) -> Parts:
    """`gated` by textbook formulas."""
    z = wave_by_hand(a, textbook.tanh(b))
    return textbook.mul(textbook.sigmoid(textbook.div(z, (a[0] + 4, a[1]))), b)


UNARY = (
    *("reciprocal", "square", "sgn", "exp", "log", "sqrt", "rsqrt", "sinh", "cosh", "sin", "cos"),
    *("tanh", "tan", "sigmoid", "asinh", "atan", "acos", "log1p", "expm1"),
)

# Name: (function of complex tensors, the same by hand, number of operands).
Case = tuple[Callable[..., Tensor], textbook.Textbook, int]
CASES: dict[str, Case] = {
    "wave chain": (wave, wave_by_hand, 2),
    "gated chain": (gated, gated_by_hand, 2),
    "mul": (torch.mul, textbook.mul, 2),
    "div": (torch.div, textbook.div, 2),
    "lerp": (torch.lerp, textbook.lerp, 3),
    "logaddexp": (torch.logaddexp, textbook.logaddexp, 2),
    "pow(3)": (lambda z: z**3, textbook.cubed, 1),
    "pow(2.5)": (lambda z: z**2.5, functools.partial(textbook.power, w=2.5), 1),
    "abs": (lambda z: z.abs() + 0j, textbook.absolute, 1),
} | {name: (getattr(torch, name), getattr(textbook, name), 1) for name in UNARY}


def by_hand(fn: textbook.Textbook) -> Callable[..., Tensor]:
    """Function of complex tensors from one of parts."""

    def joined(*operands: Tensor) -> Tensor:
        return torch.complex(*fn(*((z.real, z.imag) for z in operands)))

    return joined


def row(name: str, dtype: torch.dtype) -> list[object]:
    """Times of one case, and their ratios."""
    function, hand, count = CASES[name]
    operands = [torch.randn(LENGTH, dtype=dtype) for _ in range(count)]
    torch._dynamo.reset()
    ours = functools.partial(torch.compile, fullgraph=True, backend="inductor_complex")
    runs = {"eager": function, "textbook": ours(by_hand(hand)), "accurate": ours(function)}
    calls = {way: functools.partial(fn, *operands) for way, fn in runs.items()}
    times = [1e3 * timing.median for timing in interleaved(calls, ROUNDS).values()]
    eager, naive, accurate = times
    return [name, str(dtype).split(".")[1], *times, accurate / naive, eager / accurate]


def main() -> None:
    """Print the rows as they are measured, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functions", nargs="*", choices=[[], *CASES], metavar="FUNCTION")
    parser.add_argument("--dtype", choices=["complex64", "complex128"], nargs="*")
    chosen = parser.parse_args()
    rows = []
    for dtype in chosen.dtype or ["complex64", "complex128"]:
        for name in chosen.functions or CASES:
            rows.append(row(name, getattr(torch, dtype)))
            print(name, dtype, f"{rows[-1][-2]:.2f}", file=sys.stderr)
    headers = ["function", "dtype", "eager", "textbook", "accurate", "ratio", "times eager"]
    print(tabulate(rows, headers, floatfmt=".2f"))


if __name__ == "__main__":
    main()
