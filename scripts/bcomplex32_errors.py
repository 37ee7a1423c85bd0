"""Draw how errors of bcomplex32 grow: a chain of products, one of transforms, and a training.

Each is computed in bcomplex32 and in complex64, beside complex128 where there is one right answer.
Writes a PNG, and prints the last values of each curve.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import torch
import torch.nn.functional as F
from matplotlib import pyplot as plt
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor

SIZE = 64
LINKS = 64
STEPS = 200

Curves = dict[str, list[float]]


def error(found: Tensor, exact: Tensor) -> float:
    """Norm of the difference relative to that of the exact value."""
    plain = found.to_complex() if isinstance(found, ComplexTensor) else found
    return ((plain.to(exact.dtype) - exact).norm() / exact.norm()).item()


def chain(links: list[Tensor], start: Tensor, transform: bool) -> Curves:
    """Errors after each link: a product with a unitary matrix, or a turn and a transform."""
    state = {
        "bcomplex32": tcs.to_bcomplex32(start),
        "complex64": start.to(torch.complex64),
        "exact": start,
    }
    curves: Curves = {"bcomplex32": [], "complex64": []}
    for link in links:
        for name, z in state.items():
            w = tcs.to_bcomplex32(link) if name == "bcomplex32" else link.to(z.dtype)
            state[name] = torch.fft.fft(z * w, norm="ortho") if transform else w @ z
        for name, curve in curves.items():
            curve.append(error(state[name], state["exact"]))
    return curves


def products() -> Curves:
    """A chain of unitary matrices."""
    links = torch.linalg.qr(torch.randn(LINKS, SIZE, SIZE, dtype=torch.complex128)).Q
    return chain(list(links), torch.randn(SIZE, SIZE, dtype=torch.complex128), transform=False)


def transforms() -> Curves:
    """Turns by random phases, with a Fourier transform after each."""
    phases = torch.rand(LINKS, SIZE, SIZE, dtype=torch.float64) * 2 * torch.pi
    links = list(torch.polar(torch.ones_like(phases), phases))
    return chain(links, torch.randn(SIZE, SIZE, dtype=torch.complex128), transform=True)


def training() -> Curves:
    """Loss of two complex layers that learn another two; autocast, complex64, and all narrow."""
    shapes = [(32, 16), (8, 32)]
    teacher = [torch.randn(shape, dtype=torch.complex64) / shape[1] ** 0.5 for shape in shapes]
    start = [torch.randn(shape, dtype=torch.complex64) / shape[1] ** 0.5 for shape in shapes]
    inputs = torch.randn(256, 16, dtype=torch.complex64)

    def run(weights: list[Tensor]) -> Tensor:
        hidden = F.linear(inputs, weights[0])
        return F.linear(hidden * torch.sigmoid(hidden.abs()), weights[1]).abs()

    targets, curves = run(teacher), {}
    for name in ("bcomplex32 weights", "autocast", "complex64"):
        leaves = [tcs.to_bcomplex32(w) if name.startswith("b") else w.clone() for w in start]
        optimizer = torch.optim.Adam([w.requires_grad_() for w in leaves], lr=3e-3)
        curves[name] = []
        for _ in range(STEPS):
            optimizer.zero_grad()
            with tcs.autocast("cpu", enabled=name != "complex64"):
                loss = F.mse_loss(run(leaves), targets)
            loss.backward()
            optimizer.step()
            curves[name].append(loss.item())
    return curves


def draw(panels: dict[str, Curves], path: Path) -> None:
    """One panel for each experiment, logarithmic."""
    mpl.use("Agg")
    figure, axes = plt.subplots(1, len(panels), figsize=(12, 3.8), layout="constrained")
    labels = ("products", "transforms", "step")
    for axis, label, (title, curves) in zip(axes, labels, panels.items(), strict=True):
        for name, values in curves.items():
            axis.loglog(range(1, len(values) + 1), values, label=name)
        ylabel = "mean square error" if label == "step" else "relative error"
        axis.set(title=title, xlabel=label, ylabel=ylabel)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("output", type=Path, nargs="?", default=Path("docs/bcomplex32_errors.png"))
    options = parser.parse_args()
    torch.manual_seed(0)
    panels = {
        "Unitary matrices": products(),
        "Fourier transforms": transforms(),
        "Training": training(),
    }
    draw(panels, options.output)
    for title, curves in panels.items():
        last = ", ".join(f"{name} {values[-1]:.1e}" for name, values in curves.items())
        print(f"{title}: {last}")


if __name__ == "__main__":
    main()
