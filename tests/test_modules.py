"""Modules in bcomplex32, and their states in files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32
from torch_complex_subclass.testing.interpret import interpreted

WIDE = torch.complex64


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, dtype=WIDE)
        self.second = nn.Linear(3, 3, bias=False, dtype=WIDE)
        self.second.weight = self.first.weight
        self.scale = nn.Linear(3, 1)
        self.register_buffer("table", torch.randn(3, dtype=WIDE))
        self.frozen = nn.Parameter(torch.randn(3, dtype=WIDE), requires_grad=False)

    def forward(self, z: Tensor) -> Tensor:
        return self.second(self.first(z)) * self.table + self.frozen


def test_module_to() -> None:
    net = Net()
    values = {name: t.clone() for name, t in net.state_dict().items()}
    assert tcs.module_to(net, bcomplex32) is net
    assert net.second.weight is net.first.weight
    assert net.scale.weight.dtype == torch.float32
    assert not net.frozen.requires_grad
    assert dict(net.named_parameters()).keys() == dict(Net().named_parameters()).keys()
    for name, t in net.state_dict().items():
        if values[name].is_complex():
            assert torch.equal(t, tcs.to_bcomplex32(values[name]))
    net(tcs.randn(2, 3, dtype=bcomplex32)).abs().sum().backward()
    assert tcs.dtype_of(net.first.weight.grad) is bcomplex32


def test_and_back() -> None:
    net = tcs.module_to(Net(), bcomplex32)
    narrow = net.table
    tcs.module_to(net, torch.complex128)
    assert net.table.dtype == net.first.weight.dtype == torch.complex128
    assert not isinstance(net.first.weight, ComplexTensor)
    assert torch.equal(net.table, narrow.to_complex().to(torch.complex128))


class Rotary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(8, 8)
        self.register_buffer("turns", torch.polar(torch.ones(5, 4), 6 * torch.rand(5, 4)))

    def forward(self, x: Tensor) -> Tensor:
        z = torch.view_as_complex(self.project(x).float().unflatten(-1, (4, 2)))
        return torch.view_as_real(z * self.turns).flatten(-2).type_as(x)


def test_complex_buffer_of_a_bfloat16_model_27426() -> None:
    torch.manual_seed(0)
    net = Rotary().bfloat16()
    assert (net.project.weight.dtype, net.turns.dtype) == (torch.bfloat16, WIDE)
    x = torch.randn(2, 5, 8, dtype=torch.bfloat16)
    want = net(x)
    tcs.module_to(net, bcomplex32)
    assert tcs.dtype_of(net.turns) is bcomplex32
    found = torch.compile(net, fullgraph=True, backend=interpreted)(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, want, rtol=0, atol=0.03)
    assert torch.equal(found, net(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, "bcomplex32"])
def test_only_complex_dtypes(dtype: object) -> None:
    with pytest.raises(TypeError, match="expected a complex dtype"):
        tcs.module_to(Net(), dtype)  # type: ignore[arg-type]


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, t in wanted.items():
        assert tcs.dtype_of(found[name]) == tcs.dtype_of(t)
        assert torch.equal(found[name], t)


def test_packed_state() -> None:
    net = tcs.module_to(Net(), bcomplex32)
    packed = tcs.pack_state_dict(net.state_dict())
    assert packed["table.bcomplex32"].dtype == torch.bfloat16
    assert packed["table.bcomplex32"].shape == (3, 2)
    assert not any(isinstance(t, ComplexTensor) for t in packed.values())
    state = tcs.unpack_state_dict(packed)
    assert_same(state, net.state_dict())
    assert state["table"].as_interleaved().data_ptr() == packed["table.bcomplex32"].data_ptr()
    other = tcs.module_to(Net(), bcomplex32)
    other.load_state_dict(state)
    assert_same(other.state_dict(), net.state_dict())


def test_other_complex_tensors_are_packed_plain() -> None:
    z = torch.randn(2, dtype=WIDE)
    packed = tcs.pack_state_dict({"z": ComplexTensor.from_complex(z), "w": z})
    assert packed.keys() == {"z", "w"}
    assert type(packed["z"]) is Tensor
    assert torch.equal(packed["z"], z)


@pytest.mark.parametrize("t", [torch.zeros(3, 2), torch.zeros(3, dtype=torch.bfloat16)])
def test_unpacking_what_was_not_packed(t: Tensor) -> None:
    with pytest.raises(ValueError, match=r"z.bcomplex32 must be bfloat16 of shape \(..., 2\)"):
        tcs.unpack_state_dict({"z.bcomplex32": t})


def test_safetensors(tmp_path: Path) -> None:
    state = {"z": tcs.randn(2, 3, dtype=bcomplex32), "x": torch.randn(4)}
    save_file(tcs.pack_state_dict(state), tmp_path / "state.safetensors")
    loaded = load_file(tmp_path / "state.safetensors")
    assert loaded["z.bcomplex32"].shape == (2, 3, 2)
    assert_same(tcs.unpack_state_dict(loaded), state)
