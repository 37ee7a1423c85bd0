"""Construction, conversion, protocol and life as a parameter of ComplexTensor."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.eager import random


@pytest.fixture
def plain():
    return random((3, 4), torch.complex64)


@pytest.fixture
def z(plain):
    return ComplexTensor.from_complex(plain.clone()).detach()


class TestConstruction:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
    def test_from_two_parts(self, dtype):
        re, im = random((2, 3), dtype), random((2, 3), dtype)
        z = ComplexTensor(re, im)
        assert z.dtype == re.dtype.to_complex()
        assert z.shape == (2, 3)
        assert torch.equal(z.real, re)
        assert torch.equal(z.imag, im)

    def test_parts_in_one_allocation_are_used_in_place(self):
        memory = torch.zeros(2, 3)
        z = ComplexTensor(*memory.unbind(0))
        z.fill_(1 + 2j)
        assert memory.tolist() == [[1, 1, 1], [2, 2, 2]]

    def test_interleaved_memory_is_shared_both_ways(self):
        memory = random((3, 2), torch.float32)
        z = ComplexTensor.from_interleaved(memory)
        z.mul_(2j)
        assert torch.equal(torch.view_as_complex(memory), z.to_complex())
        memory.zero_()
        assert not z.any()

    def test_as_interleaved_shares_memory(self, z):
        z.as_interleaved().zero_()
        assert not z.any()

    def test_result_of_an_op_has_an_interleaved_view(self, z):
        w = z * z
        alias = w.detach()
        w.as_interleaved().zero_()
        assert not w.any()
        assert not alias.any()

    def test_complex_memory_is_shared_both_ways(self, plain):
        z = ComplexTensor.from_complex(plain)
        z.zero_()
        assert not plain.any()
        z.to_complex().fill_(1j)
        assert torch.equal(plain, torch.full_like(plain, 1j))

    def test_from_complex_resolves_the_bits(self, plain):
        assert torch.equal(ComplexTensor.from_complex(plain.conj()).to_complex(), plain.conj())
        negative = torch._neg_view(plain)
        assert torch.equal(ComplexTensor.from_complex(negative).to_complex(), negative)

    def test_from_complex_returns_its_own_kind(self, z):
        assert ComplexTensor.from_complex(z) is z


class TestProtocol:
    def test_repr_shows_the_values(self):
        z = ComplexTensor(torch.tensor([3.0]), torch.tensor([4.0]))
        assert repr(z) == "ComplexTensor([3.+4.j])"

    def test_repr_shows_autograd(self, z):
        assert repr(z.requires_grad_()).endswith(", requires_grad=True)")
        assert repr(z * 2).endswith(", grad_fn=<MulBackward0>)")

    def test_repr_without_values(self, z):
        assert "size=(3, 4)" in repr(z.to("meta"))
        with FakeTensorMode() as mode:
            fake = mode.from_tensor(z)
            assert "size=(3, 4)" in repr(fake * fake)

    def test_flatten_and_unflatten(self, z):
        names, context = z.__tensor_flatten__()
        inner = {name: getattr(z, name) for name in names}
        back = ComplexTensor.__tensor_unflatten__(inner, context, z.shape, z.stride())
        assert torch.equal(back.to_complex(), z.to_complex())
        assert back.stride() == z.stride()

    @pytest.mark.parametrize("index", [(), (slice(None, None, 2),), (slice(None), 1)], ids=str)
    def test_strides_are_those_of_the_plain_tensor(self, plain, index):
        z = ComplexTensor.from_complex(plain)
        for got, want in ((z[index], plain[index]), (z.t()[index], plain.t()[index])):
            assert got.stride() == want.stride()
            assert got.storage_offset() == want.storage_offset()
            assert got.is_contiguous() == want.is_contiguous()

    @pytest.mark.parametrize("make", [copy.deepcopy, torch.clone, torch.detach])
    def test_copies(self, z, make):
        got = make(z)
        assert isinstance(got, ComplexTensor)
        assert torch.equal(got.to_complex(), z.to_complex())
        got.zero_()
        assert z.any() == (make is not torch.detach)

    @pytest.mark.parametrize("requires_grad", [False, True])
    def test_pickle(self, z, requires_grad):
        got = pickle.loads(pickle.dumps(z.requires_grad_(requires_grad)))
        assert isinstance(got, ComplexTensor)
        assert got.requires_grad == requires_grad
        assert torch.equal(got.to_complex(), z.to_complex())

    @pytest.mark.parametrize("interleaved", [False, True])
    def test_load_weights_only(self, z, interleaved):
        file = io.BytesIO()
        torch.save(z if interleaved else ComplexTensor(z.real.clone(), z.imag.clone()), file)
        file.seek(0)
        got = torch.load(file, weights_only=True)
        assert isinstance(got, ComplexTensor)
        got.as_interleaved().mul_(2)  # the parts still share one block
        torch.testing.assert_close(got.to_complex(), 2 * z.to_complex())

    def test_to_python_and_numpy(self, z, plain):
        assert z.tolist() == plain.tolist()
        assert np.array_equal(z.numpy(), plain.numpy())
        assert z[0, 0].item() == plain[0, 0].item()

    @pytest.mark.parametrize("dtype", [torch.complex128, torch.complex64], ids=str)
    def test_to_dtype(self, z, plain, dtype):
        got = z.to(dtype)
        assert isinstance(got, ComplexTensor)
        assert torch.equal(got.to_complex(), plain.to(dtype))
        assert (got is z) == (dtype == z.dtype)


class Module(torch.nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = torch.nn.Parameter(weight)
        self.register_buffer("scale", weight.detach().clone())

    def forward(self, x):
        return (self.weight * self.scale * x).abs().square().sum()


class TestModule:
    def test_parameter(self, z):
        p = torch.nn.Parameter(z)
        assert isinstance(p, ComplexTensor)
        assert isinstance(p, torch.nn.Parameter)
        assert p.requires_grad
        assert "weight" in dict(Module(z).named_parameters())

    def test_state_dict(self, z, plain):
        source, target = Module(z), Module(torch.zeros_like(z))
        target.load_state_dict(source.state_dict())
        assert torch.equal(target.weight.to_complex(), plain)
        target.load_state_dict({"weight": 2 * plain, "scale": plain})
        assert torch.equal(target.weight.to_complex(), 2 * plain)

    def test_load_into_a_plain_module(self, z, plain):
        target = Module(torch.zeros_like(plain))
        target.load_state_dict(Module(z).state_dict())
        assert torch.equal(target.weight.data, plain)

    @pytest.mark.filterwarnings("ignore:Complex modules are a new feature")
    def test_to(self, z):
        module = Module(z).to(torch.complex128)
        assert isinstance(module.weight, ComplexTensor)
        assert module.weight.dtype == module.scale.dtype == torch.complex128
        assert Module(z).to("meta").weight.device.type == "meta"

    @pytest.mark.parametrize("foreach", [False, True])
    @pytest.mark.parametrize("interleaved", [False, True])
    @pytest.mark.parametrize(
        ("make", "options"),
        [
            (torch.optim.SGD, {}),
            (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
            (torch.optim.Adam, {}),
            (torch.optim.Adam, {"amsgrad": True}),
            (torch.optim.AdamW, {}),
            (torch.optim.RMSprop, {}),
        ],
        ids=str,
    )
    def test_optimizer(self, z, plain, make, options, foreach, interleaved):
        z = z if interleaved else z + 0
        ours, theirs = Module(z), Module(plain.clone())
        alias = ours.weight.detach()
        for module in (ours, theirs):
            optimizer = make(module.parameters(), lr=0.1, foreach=foreach, **options)
            for _ in range(3):
                optimizer.zero_grad()
                module(1.5).backward()
                optimizer.step()
        torch.testing.assert_close(ours.weight.detach().to_complex(), theirs.weight.detach())
        assert torch.equal(alias.to_complex(), ours.weight.detach().to_complex())
        assert not torch.equal(theirs.weight.detach(), plain)
