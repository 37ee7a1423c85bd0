"""bcomplex32 as a dtype and as a tensor: construction, conversion, files, modules, factories."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor, bcomplex32
from torch_complex_subclass.dtypes import complex_dtype, real_dtype

PART = torch.bfloat16
WIDE = [torch.complex64, torch.complex128]


@pytest.fixture
def z() -> ComplexTensor:
    return tcs.to_bcomplex32(torch.randn(3, 4, dtype=torch.complex64))


def copies(value: Any) -> list[Any]:
    return [copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]


class TestDtype:
    def test_answers(self) -> None:
        assert repr(bcomplex32) == str(bcomplex32) == "torch_complex_subclass.bcomplex32"
        assert bcomplex32.itemsize == 4
        assert bcomplex32.is_complex
        assert not bcomplex32.is_floating_point
        assert bcomplex32.to_real() is PART
        assert bcomplex32.to_complex() is bcomplex32
        assert bcomplex32 != torch.complex32

    def test_is_one_object(self) -> None:
        assert all(c is bcomplex32 for c in copies(bcomplex32))
        assert {bcomplex32: 1}[pickle.loads(pickle.dumps(bcomplex32))] == 1

    def test_has_bfloat16_parts(self) -> None:
        assert real_dtype(bcomplex32) == PART
        assert complex_dtype(PART) is bcomplex32

    @pytest.mark.parametrize(
        "dtype", [torch.float32, torch.bfloat16, torch.int64, torch.complex32, torch.complex64]
    )
    def test_of_other_tensors_is_that_of_torch(self, dtype: torch.dtype) -> None:
        t = torch.zeros(2, dtype=dtype)
        assert tcs.dtype_of(t) == dtype
        if dtype.is_complex:
            assert tcs.dtype_of(ComplexTensor.from_complex(t)) == dtype


class TestConstruction:
    def test_from_parts(self) -> None:
        re, im = torch.randn(2, 3).to(PART), torch.randn(2, 3).to(PART)
        for z in (ComplexTensor(re, im), ComplexTensor.from_parts(re, im)):
            assert tcs.dtype_of(z) is bcomplex32
            assert z.is_complex()
            assert z.dtype == torch.complex32
            assert z.element_size() == 4
            assert z.real.dtype == z.imag.dtype == PART
            assert torch.equal(z.real, re)
            assert torch.equal(z.imag, im)

    def test_interleaved_memory_is_shared_both_ways(self) -> None:
        memory = torch.randn(3, 2).to(PART)
        z = ComplexTensor.from_interleaved(memory)
        assert tcs.dtype_of(z) is bcomplex32
        assert z.as_interleaved().data_ptr() == memory.data_ptr()
        z.mul_(2j)
        assert torch.equal(z.as_interleaved(), memory)
        memory.zero_()
        assert not z.any()

    @pytest.mark.parametrize("dtype", [torch.complex32, *WIDE], ids=str)
    @pytest.mark.parametrize("wrap", [lambda z: z, ComplexTensor.from_complex])
    def test_from_another_dtype(self, dtype: torch.dtype, wrap: Any) -> None:
        plain = torch.randn(5, dtype=torch.complex64).to(dtype)
        z = tcs.to_bcomplex32(wrap(plain))
        assert tcs.dtype_of(z) is bcomplex32
        assert torch.equal(z.as_interleaved(), torch.view_as_real(plain).to(PART))

    @pytest.mark.parametrize("bit", [torch.conj, torch._neg_view])
    def test_from_a_tensor_with_a_bit(self, bit: Any) -> None:
        plain = bit(torch.randn(5, dtype=torch.complex64))
        parts = torch.view_as_real(plain.resolve_conj().resolve_neg())
        assert torch.equal(tcs.to_bcomplex32(plain).as_interleaved(), parts.to(PART))

    def test_from_itself(self, z: ComplexTensor) -> None:
        assert tcs.to_bcomplex32(z) is z
        assert z.to(bcomplex32) is z

    def test_refuses_what_is_not_complex(self) -> None:
        with pytest.raises(TypeError, match=r"expected a complex tensor, got float32\[2\]"):
            tcs.to_bcomplex32(torch.ones(2))


class TestConversion:
    @pytest.mark.parametrize("dtype", WIDE, ids=str)
    def test_back_is_exact(self, z: ComplexTensor, dtype: torch.dtype) -> None:
        wide = z.to(dtype)
        assert isinstance(wide, ComplexTensor)
        assert wide.dtype == tcs.dtype_of(wide) == dtype
        assert torch.equal(wide.real, z.real.to(wide.real.dtype))
        assert torch.equal(wide.to(bcomplex32), z)

    def test_to_plain_is_complex64(self, z: ComplexTensor) -> None:
        plain = z.to_complex()
        assert type(plain) is torch.Tensor
        assert plain.dtype == torch.complex64
        assert torch.equal(torch.view_as_real(plain), z.as_interleaved().float())

    @pytest.mark.parametrize(
        "convert",
        [
            lambda z: z.to(bcomplex32),
            lambda z: z.to(dtype=bcomplex32),
            lambda z: z.to("cpu", bcomplex32),
            lambda z: z.to("cpu", dtype=bcomplex32, copy=True),
            lambda z: z.to(tcs.zeros(1, dtype=bcomplex32)),
            lambda z: z.to(other=tcs.zeros(1, dtype=bcomplex32), copy=True),
        ],
    )
    def test_to_in_all_forms(self, convert: Any) -> None:
        z = convert(ComplexTensor.from_complex(torch.ones(2, dtype=torch.complex64)))
        assert tcs.dtype_of(z) is bcomplex32

    def test_to_another_tensor(self, z: ComplexTensor) -> None:
        for dtype in (*WIDE, torch.float32):
            assert z.to(torch.zeros(1, dtype=dtype)).dtype == dtype
        assert tcs.dtype_of(z.to("cpu", copy=True)) is bcomplex32

    def test_outer_dtype_names_the_same(self, z: ComplexTensor) -> None:
        for same in (z.to(torch.complex32), torch.zeros_like(z), z.new_zeros(2, dtype=z.dtype)):
            assert tcs.dtype_of(same) is bcomplex32

    def test_half_parts_stay_half(self) -> None:
        half = ComplexTensor(torch.ones(2).half(), torch.ones(2).half())
        for same in (half * 2, half.to(torch.complex64).to(torch.complex32)):
            assert tcs.dtype_of(same) == torch.complex32

    def test_to_python(self, z: ComplexTensor) -> None:
        assert z.tolist() == z.to_complex().tolist()
        assert z[0, 0].item() == z.to_complex()[0, 0].item()

    @pytest.mark.parametrize(
        ("receiver", "convert"),
        [
            ("NumPy", lambda z: z.numpy()),
            ("NumPy", np.asarray),
            ("DLPack", np.from_dlpack),
            ("DLPack", torch.from_dlpack),
        ],
    )
    def test_refuses_what_has_no_such_dtype(
        self, z: ComplexTensor, receiver: str, convert: Any
    ) -> None:
        text = rf"{receiver} has no dtype for .*bcomplex32; convert it with z\.to\(torch\.complex64"
        with pytest.raises(TypeError, match=text):
            convert(z)


class TestProtocol:
    def test_repr(self) -> None:
        z = ComplexTensor(torch.tensor([3.0], dtype=PART), torch.tensor([4.0], dtype=PART))
        text = "ComplexTensor([3.+4.j], dtype=torch_complex_subclass.bcomplex32"
        assert repr(z) == text + ")"
        assert repr(z.requires_grad_()) == text + ", requires_grad=True)"

    def test_errors_name_the_dtype(self, z: ComplexTensor) -> None:
        with pytest.raises(NotImplementedError, match=r"arguments: bcomplex32\[3, 4\]"):
            z < z  # noqa: B015

    def test_copies(self, z: ComplexTensor) -> None:
        for w in (*copies(z), z.clone(), z.detach()):
            assert isinstance(w, ComplexTensor)
            assert tcs.dtype_of(w) is bcomplex32
            assert torch.equal(w, z)

    def test_save_and_load_weights_only(self, z: ComplexTensor) -> None:
        file = io.BytesIO()
        torch.save({"z": torch.nn.Parameter(z)}, file)
        file.seek(0)
        w = torch.load(file, weights_only=True)["z"]
        assert tcs.dtype_of(w) is bcomplex32
        assert w.requires_grad
        assert torch.equal(w, z)


class Model(torch.nn.Module):
    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return (self.weight * x).abs().square().sum()


class TestModule:
    def test_parameter(self, z: ComplexTensor) -> None:
        weight = Model(z).weight
        assert isinstance(weight, ComplexTensor)
        assert isinstance(weight, torch.nn.Parameter)
        assert tcs.dtype_of(weight) is bcomplex32

    def test_state_dict(self, z: ComplexTensor) -> None:
        target = Model(torch.zeros_like(z))
        target.load_state_dict(Model(z).state_dict())
        assert torch.equal(target.weight, z)
        target.load_state_dict({"weight": 2 * z.to_complex()})  # rounds
        assert tcs.dtype_of(target.weight) is bcomplex32
        assert torch.equal(target.weight, 2 * z)

    def test_moves_to_another_device(self, z: ComplexTensor) -> None:
        weight = Model(z).to("meta").weight
        assert weight.device.type == "meta"
        assert weight.real.dtype == PART

    @pytest.mark.parametrize("foreach", [False, True])
    @pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD"])
    def test_optimizer(self, z: ComplexTensor, name: str, foreach: bool) -> None:
        model = Model(z.clone())
        optimizer = getattr(torch.optim, name)(model.parameters(), lr=0.1, foreach=foreach)
        before = model(1.5).item()
        for _ in range(5):
            optimizer.zero_grad()
            model(1.5).backward()
            optimizer.step()
        assert tcs.dtype_of(model.weight) is tcs.dtype_of(model.weight.grad) is bcomplex32
        assert model(1.5).item() < before


LIKE = torch.zeros(3, 2).t()


class TestFactories:
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            (lambda **o: tcs.zeros(2, 3, **o), lambda **o: torch.zeros(2, 3, **o)),
            (lambda **o: tcs.zeros((2, 3), **o), lambda **o: torch.zeros(2, 3, **o)),
            (lambda **o: tcs.ones(2, 3, **o), lambda **o: torch.ones(2, 3, **o)),
            (lambda **o: tcs.full((2,), 2 - 1j, **o), lambda **o: torch.full((2,), 2 - 1j, **o)),
            (lambda **o: tcs.randn(2, 3, **o), lambda **o: torch.randn(2, 3, **o)),
            (lambda **o: tcs.zeros_like(LIKE, **o), lambda **o: torch.zeros_like(LIKE, **o)),
            (lambda **o: tcs.ones_like(LIKE, **o), lambda **o: torch.ones_like(LIKE, **o)),
            (lambda **o: tcs.full_like(LIKE, 3, **o), lambda **o: torch.full_like(LIKE, 3, **o)),
            (lambda **o: tcs.randn_like(LIKE, **o), lambda **o: torch.randn_like(LIKE, **o)),
        ],
    )
    def test_values(self, ours: Any, theirs: Any) -> None:
        torch.manual_seed(0)
        z = ours(dtype=bcomplex32, requires_grad=True)
        torch.manual_seed(0)
        want = theirs(dtype=torch.complex64)
        assert tcs.dtype_of(z) is bcomplex32
        assert z.requires_grad
        assert z.is_leaf
        assert z.stride() == want.stride()
        assert torch.equal(z.detach(), tcs.to_bcomplex32(want))
        torch.manual_seed(0)
        assert torch.equal(ours(dtype=torch.complex64), want)

    def test_empty(self) -> None:
        for z in (tcs.empty(2, 3, dtype=bcomplex32), tcs.empty_like(LIKE, dtype=bcomplex32)):
            assert tcs.dtype_of(z) is bcomplex32
            assert z.shape == (2, 3)
        assert z.stride() == LIKE.stride()
        assert tcs.empty(2, dtype=torch.float64).dtype == torch.float64
        assert tcs.empty_like(LIKE).dtype == LIKE.dtype

    def test_like_keeps_the_dtype(self, z: ComplexTensor) -> None:
        for make in (tcs.zeros_like, tcs.ones_like, tcs.empty_like, tcs.randn_like):
            assert tcs.dtype_of(make(z)) is bcomplex32
