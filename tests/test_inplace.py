"""In-place and out= forms against eager."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.errors import UnsupportedOperationError
from torch_complex_subclass.inplace import functional_form, written_arguments
from torch_complex_subclass.testing.eager import planar, random
from torch_complex_subclass.testing.opinfo import wrap

aten = torch.ops.aten
ROWS = torch.tensor([2, 0])

WRITES = {
    "add_": lambda z, w: z.add_(w),
    "add_ alpha": lambda z, w: z.add_(w, alpha=2j),
    "add_ real": lambda z, w: z.add_(w.real),
    "add_ number": lambda z, w: z.add_(1j),
    "addcmul_": lambda z, w: z.addcmul_(w, w, value=2),
    "conj_physical_": lambda z, w: z.conj_physical_(),
    "copy_": lambda z, w: z.copy_(w),
    "copy_ broadcast": lambda z, w: z.copy_(w[0]),
    "copy_ real": lambda z, w: z.copy_(w.real),
    "cumsum_": lambda z, w: z.cumsum_(0),
    "diagonal": lambda z, w: z.diagonal().fill_(1),
    "div_": lambda z, w: z.div_(w),
    "exp_": lambda z, w: z.exp_(),
    "fill_": lambda z, w: z.fill_(1 + 2j),
    "fill_ real": lambda z, w: z.fill_(2),
    "imag": lambda z, w: z.imag.mul_(2),
    "index_add_": lambda z, w: z.index_add_(0, ROWS, w[:2]),
    "index_put_": lambda z, w: z.index_put_((ROWS,), w[:2], accumulate=True),
    "masked_fill_": lambda z, w: z.masked_fill_(w.real > 0, 1j),
    "mul_": lambda z, w: z.mul_(w),
    "mul_ number": lambda z, w: z.mul_(2j),
    "neg_": lambda z, w: z.neg_(),
    "pow_": lambda z, w: z.pow_(2),
    "real": lambda z, w: z.real.zero_(),
    "set item": lambda z, w: z.__setitem__((0, 0), 3 + 1j),
    "set mask": lambda z, w: z.__setitem__(w.real > 0, 0),
    "set overlap": lambda z, w: z.__setitem__(slice(1, None), z[:-1].clone()),
    "set row": lambda z, w: z.__setitem__(1, w[0]),
    "set rows": lambda z, w: z.__setitem__(ROWS, w[:2]),
    "set slice": lambda z, w: z.__setitem__(slice(1, None), w[1:]),
    "squeeze_": lambda z, w: z.unsqueeze_(0).squeeze_(0),
    "sub_ wider": lambda z, w: z.sub_(w.to(torch.complex128)),
    "t_": lambda z, w: z.t_(),
    "transpose_": lambda z, w: z.transpose_(0, 1).add_(1),
    "view": lambda z, w: z.view(-1)[2:4].mul_(2),
    "view_as_real": lambda z, w: torch.view_as_real(z)[..., 0].zero_(),
    "zero_": lambda z, w: z.zero_(),
    "foreach add": lambda z, w: torch._foreach_add_([z], [w]),
    "foreach mul": lambda z, w: torch._foreach_mul_([z], 2j),
    "foreach zero": lambda z, w: torch._foreach_zero_([z]),
    "foreach lerp": lambda z, w: torch._foreach_lerp_([z], [w], 0.25),
    "out add": lambda z, w: torch.add(z, w, out=z),
    "out mm": lambda z, w: torch.mm(z.clone(), w.mT.clone(), out=z.new_empty(4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("apart", [False, True], ids=["interleaved", "apart"])
@pytest.mark.parametrize("other", [ComplexTensor.from_complex, lambda w: w], ids=["split", "plain"])
def test_write(write, apart, other):
    plain, w = (random((4, 4), torch.complex64) for _ in range(2))
    z = planar(plain) if apart else ComplexTensor.from_complex(plain.clone())
    version = z._version
    write(z, other(w.clone()))
    write(plain, w)
    torch.testing.assert_close(z.to_complex(), plain)
    assert (z.shape, z.stride(), z.dtype) == (plain.shape, plain.stride(), plain.dtype)
    assert z._version >= version


@pytest.mark.parametrize("write", ["add_", "copy_", "mul_", "set slice", "set rows"])
def test_write_to_a_plain_tensor(write):
    plain, w = (random((4, 4), torch.complex64) for _ in range(2))
    want = plain.clone()
    WRITES[write](plain, ComplexTensor.from_complex(w))
    WRITES[write](want, w)
    torch.testing.assert_close(plain, want)


def test_write_to_a_plain_tensor_with_the_conj_bit():
    base, w = (random((3,), torch.complex64) for _ in range(2))
    base.conj().copy_(ComplexTensor.from_complex(w))
    torch.testing.assert_close(base, w.conj().resolve_conj())


def test_writing_returns_the_tensor_itself():
    z = ComplexTensor.from_complex(random((3,), torch.complex64))
    assert z.add_(1) is z
    assert torch.mul(z, 2, out=z) is z


OUT = {
    "exp": lambda z, out: torch.exp(z, out=out),
    "abs": lambda z, out: torch.abs(z, out=out),
    "sum": lambda z, out: torch.sum(z, 0, out=out),
    "matmul": lambda z, out: torch.matmul(z, z, out=out),
}


@pytest.mark.parametrize("f", OUT.values(), ids=OUT.keys())
def test_out(f):
    plain = random((4, 4), torch.complex64)
    want = f(plain, None)
    out = wrap(torch.empty_like(want))
    assert f(ComplexTensor.from_complex(plain), out) is out
    torch.testing.assert_close(out.to_complex() if out.is_complex() else out, want)


def test_two_results_in_out():
    plain = random((3, 3), torch.complex64)
    out = wrap(torch.empty(3, dtype=torch.complex64)), wrap(torch.empty_like(plain))
    got = torch.linalg.eig(ComplexTensor.from_complex(plain), out=out)
    assert [g.to_complex().shape for g in got] == [(3,), (3, 3)]
    torch.testing.assert_close(out[0].to_complex(), torch.linalg.eig(plain)[0])


@pytest.mark.parametrize("fill", ["normal_", "uniform_"])
def test_random_fill(fill):
    z = ComplexTensor.from_complex(torch.zeros(100, dtype=torch.complex64))
    plain = torch.zeros(100, dtype=torch.complex64)
    torch.manual_seed(1)
    getattr(z, fill)()
    torch.manual_seed(1)
    getattr(plain, fill)()
    assert torch.equal(z.to_complex(), plain)


class TestRefusals:
    def test_complex_value_into_a_real_tensor(self):
        z = ComplexTensor.from_complex(random((3,), torch.complex64))
        with pytest.raises(RuntimeError, match="complex64 can't be cast to"):
            torch.ones(3).add_(z)

    def test_result_of_another_shape(self):
        z = ComplexTensor.from_complex(random((3,), torch.complex64))
        with pytest.raises(RuntimeError, match=r"shape \[2, 3\], but .* has shape \[3\]"):
            z.add_(torch.ones(2, 3))
        with pytest.raises(RuntimeError, match=r"shape \[3\], but .* has shape \[0\]"):
            torch.add(z, 1, out=z.new_empty(0))

    def test_new_memory(self):
        z = ComplexTensor.from_complex(random((3,), torch.complex64))
        with pytest.raises(UnsupportedOperationError, match="changes the memory of a tensor"):
            z.resize_(4)
        with pytest.raises(UnsupportedOperationError, match="changes the memory of a tensor"):
            z.set_(z.clone())

    def test_leaf_that_requires_grad(self):
        z = ComplexTensor.from_complex(random((3,), torch.complex64)).detach().requires_grad_()
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            z.add_(1)


@pytest.mark.parametrize(
    ("op", "functional", "written"),
    [
        (aten.add_.Tensor, aten.add.Tensor, ["self"]),
        (aten.add.out, aten.add.Tensor, ["out"]),
        (aten.linalg_eig.out, aten.linalg_eig.default, ["eigenvalues", "eigenvectors"]),
        (aten._foreach_add_.List, aten._foreach_add.List, ["self"]),
    ],
    ids=str,
)
def test_functional_form(op, functional, written):
    assert functional_form(op) is functional
    assert written_arguments(op) == written
