"""Reported upstream: complex tensors in distributed programs, in a group of one process."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import distributed, nn
from torch.distributed import _functional_collectives as collectives
from torch.distributed.fsdp import fully_shard

from torch_complex_subclass.testing.interpret import interpreted

C64 = torch.complex64

# Dynamo looks at deprecated names of torch.distributed while it traces.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def group(tmp_path: Path) -> Iterator[None]:
    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def test_45760_collectives() -> None:
    def gather(z: torch.Tensor) -> torch.Tensor:
        total = collectives.all_reduce(z * 2j, "sum", [0])
        return collectives.all_gather_tensor(total, 0, [0]) + 1

    z = torch.randn(3, 4, dtype=C64)
    compiled = torch.compile(gather, fullgraph=True, backend=interpreted)
    torch.testing.assert_close(compiled(z), gather(z))


def test_71613_parameters_in_ddp() -> None:
    eager = nn.Linear(4, 3, dtype=C64)
    ours = nn.parallel.DistributedDataParallel(copy.deepcopy(eager))
    z = torch.randn(5, 4, dtype=C64)
    eager(z).abs().sum().backward()
    torch.compile(ours, backend=interpreted)(z).abs().sum().backward()
    torch.testing.assert_close(ours.module.weight.grad, eager.weight.grad)


def test_fsdp2() -> None:
    eager = nn.Linear(4, 3, dtype=C64)
    mesh = distributed.init_device_mesh("cpu", (1,))
    ours = fully_shard(copy.deepcopy(eager), mesh=mesh)
    z = torch.randn(5, 4, dtype=C64)
    eager(z).abs().sum().backward()
    torch.compile(ours, backend=interpreted)(z).abs().sum().backward()
    torch.testing.assert_close(ours.weight.grad.full_tensor(), eager.weight.grad)


def test_267_torchtitan_gradient_through_dtensor() -> None:
    from torch.distributed.tensor import Replicate, distribute_tensor

    def turn(t: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real(t * a).square().sum()

    mesh = distributed.init_device_mesh("cpu", (1,))
    z, angles = torch.randn(3, 4, dtype=C64).requires_grad_(), torch.randn(3, 4, dtype=C64)
    turn(z, angles).backward()
    placed = [distribute_tensor(t.detach(), mesh, [Replicate()]) for t in (z, angles)]
    placed[0].requires_grad_()
    torch.compile(turn, backend=interpreted)(*placed).to_local().backward()
    torch.testing.assert_close(placed[0].grad.to_local(), z.grad)
