"""Times one call of a tiny function, where the call is what counts, by every way to compile it.

    python benchmarks/calls.py [--elements N] [--rounds N]

Prints processor time of one thread, medians of interleaved rounds, for `a * b.conj()`, and for the
real `a * b` compiled by torch, which is what a call costs at least.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from eager_kernels import seconds
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass.bench.steps import own_code

Call = Callable[[], object]
_CALLS = 500


def product(a: Tensor, b: Tensor) -> Tensor:
    """What is timed."""
    return a * b.conj()


class Product(torch.nn.Module):
    """The same as a module, as export wants it."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return product(a, b)


def packaged(inputs: tuple[Tensor, ...]) -> Any:
    """Compile ahead of time, and load the package."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "product.pt2")
        program = torch.export.export(Product(), inputs)
        loaded = torch._inductor.aoti_compile_and_package(program, package_path=path)
        return torch._inductor.aoti_load_package(loaded)


def _compiled(**options: Any) -> Callable[..., Any]:
    """Compile a copy of the product: Dynamo tries all it has compiled of one code in turn."""
    return torch.compile(own_code(product), fullgraph=True, **options)


def ways(elements: int) -> dict[str, Call]:
    """Calls to time, each compiled already."""
    a, b = (torch.randn(elements, dtype=torch.complex64) for _ in range(2))
    x, y = a.real.clone(), b.real.clone()
    compiled = _compiled()
    static = _compiled(dynamic=False)
    wrapped = _compiled(options={"cpp_wrapper": True})
    ahead = cast("Any", _compiled()).aot_compile(((a, b), {}))
    package = packaged((a, b))
    real = torch.compile(torch.mul, fullgraph=True)
    found: dict[str, Call] = {
        "eager": lambda: product(a, b),
        "torch.compile": lambda: compiled(a, b),
        "torch.compile, unrecorded": _unrecorded((a, b)),
        "torch.compile, dynamic=False": lambda: static(a, b),
        "torch.compile, cpp_wrapper": lambda: wrapped(a, b),
        "torch.compile(...).aot_compile": lambda: ahead(a, b),
        "AOTInductor package": lambda: package(a, b),
        "its loader.run": lambda: package.loader.run([a, b]),
        "torch.compile, real a * b": lambda: real(x, y),
    }
    for call in found.values():
        call()
    return found


def _unrecorded(inputs: tuple[Tensor, ...]) -> Call:
    """Compile without the marks that Dynamo leaves in a profiler's trace at each call."""
    compiled = _compiled()
    with torch._dynamo.config.patch(record_runtime_overhead=False):
        compiled(*inputs)
    return lambda: compiled(*inputs)


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elements", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with torch.no_grad(), tcs.enabled():
        found = ways(options.elements)
        times: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(options.rounds):
            for name, call in found.items():
                times[name].append(seconds(call, (), _CALLS))
    for name, samples in times.items():
        print(f"{name:32} {1e6 * statistics.median(samples):6.1f} us")


if __name__ == "__main__":
    main()
