"""Checks an installed wheel: it lies in site-packages, its backend is found, and it compiles."""

from __future__ import annotations

import site
from pathlib import Path

import torch
import torch._dynamo

import torch_complex_subclass as tcs


def wave(z: torch.Tensor) -> torch.Tensor:
    return (z * (1 + 2j)).exp().abs()


def main() -> None:
    where = Path(tcs.__file__).resolve()
    packages = [Path(folder).resolve() for folder in site.getsitepackages()]
    assert any(folder in where.parents for folder in packages), f"imported from {where}"

    backends = torch._dynamo.list_backends()
    assert "inductor_complex" in backends, f"not among the backends: {backends}"

    z = torch.randn(64, dtype=torch.complex64)
    by_name = torch.compile(wave, fullgraph=True, backend="inductor_complex")
    torch.testing.assert_close(by_name(z), wave(z))

    torch._dynamo.reset()
    with tcs.enabled():
        torch.testing.assert_close(torch.compile(wave, fullgraph=True)(z), wave(z))
    print(f"smoke test passed with torch {torch.__version__}")


if __name__ == "__main__":
    main()
