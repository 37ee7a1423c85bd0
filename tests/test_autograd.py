"""Gradients through ComplexTensor, alone and mixed with plain tensors, eager and compiled."""

import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.eager import random

C128, F64 = torch.complex128, torch.float64


def leaf(shape, dtype=C128):
    return random(shape, dtype).requires_grad_()


class TestWaysInAndOut:
    def check(self, function, *inputs):
        assert gradcheck(function, inputs, check_forward_ad=True)
        assert gradgradcheck(function, inputs)

    def test_from_complex(self):
        self.check(lambda z: (ComplexTensor.from_complex(z).exp() * 2j).to_complex(), leaf((3,)))

    def test_from_conjugate(self):
        self.check(lambda z: ComplexTensor.from_complex(z.conj()).square().to_complex(), leaf((3,)))

    def test_from_parts(self):
        self.check(
            lambda re, im: ComplexTensor.from_parts(re, im).exp().to_complex(),
            leaf((3,), F64),
            leaf((3,), F64),
        )

    def test_from_interleaved(self):
        self.check(
            lambda t: ComplexTensor.from_interleaved(t).exp().as_interleaved(), leaf((3, 2), F64)
        )

    def test_gradient_of_parts(self):
        re, im = leaf((3,), F64), leaf((3,), F64)
        z = ComplexTensor.from_parts(re, im)
        (z * z.conj()).real.sum().backward()
        torch.testing.assert_close(re.grad, 2 * re.detach())
        torch.testing.assert_close(im.grad, 2 * im.detach())

    def test_plain_leaf_gets_a_plain_gradient(self):
        z = leaf((3,))
        ComplexTensor.from_complex(z).exp().abs().sum().backward()
        assert type(z.grad) is torch.Tensor


MIXED = {
    "product": lambda z, w, x: z * w * x,
    "sum": lambda z, w, x: z + 2 * w - x + 1j,
    "quotient": lambda z, w, x: z / w / (x + 3) / 2j,
    "matmul": lambda z, w, x: (z.outer(w) * x) @ z,
    "where": lambda z, w, x: torch.where(x > 0, z * x, w),
    "join": lambda z, w, x: torch.cat([z, w, x.to(z.dtype)]),
}


@pytest.mark.parametrize("f", MIXED.values(), ids=MIXED.keys())
def test_mixed_operands(f):
    z, w, x = leaf((3,)), leaf((3,)), leaf((3,), F64)
    split = ComplexTensor.from_complex(z.detach()).detach().requires_grad_()
    want = torch.autograd.grad(f(z, w, x).abs().sum(), (z, w, x))
    got = torch.autograd.grad(f(split, w, x).abs().sum(), (split, w, x))
    assert isinstance(got[0], ComplexTensor)
    for g, e in zip(got, want, strict=True):
        plain = g.to_complex() if isinstance(g, ComplexTensor) else g
        torch.testing.assert_close(plain, e)


def first_rows(z):
    y = z * 1
    y[1:].mul_(2j)
    return y * y


def row_of_the_transpose(z):
    y = z * 1
    y.t()[1].mul_(2j)
    y[0] = y[1] * 3
    return y * y


def flat_piece(z):
    y = z * 1
    v = y.view(-1)[2:7]
    v.add_(1j)
    return v * v


def view_sees_its_base(z):
    y = z * 1
    v = y.diagonal()
    y.mul_(2)
    return v * v


def new_shape_in_place(z):
    y = (z * 1)[1:]
    y.unsqueeze_(0)
    y.transpose_(0, 1)
    return (y * y).squeeze_(1)


def strides(z):
    return (z * 1)[1:].as_strided((2, 2), (1, 3), 3) * 2


def real_view(z):
    y = z * 1
    torch.view_as_real(y)[..., 0].mul_(3)
    return y * y


def parts(z):
    y = z * 1
    y.real.mul_(3)
    y.imag[0] = 1
    return y * y


def masked(z):
    y = z * 1
    y[y.real > 0] = 0
    return y * y


@pytest.mark.parametrize(
    "f",
    [first_rows, row_of_the_transpose, flat_piece, view_sees_its_base, new_shape_in_place,
     strides, real_view, parts, masked],
    ids=lambda f: f.__name__,
)  # fmt: skip
@pytest.mark.parametrize(
    "wrap",
    [ComplexTensor.from_complex, lambda z: ComplexTensor.from_parts(z.real, z.imag)],
    ids=["interleaved", "parts"],
)
def test_gradient_through_writes_to_views(f, wrap):
    z = leaf((4, 3))
    (want,) = torch.autograd.grad(f(z).abs().sum(), z)
    (got,) = torch.autograd.grad(f(wrap(z)).abs().sum(), z)
    torch.testing.assert_close(got, want)

    @pytest.mark.parametrize("index", [slice(None), 1, slice(1, None)], ids=str)
    def test_tangent_of_a_plain_result_is_plain(self, index):
        primal, tangent = random((5,), C128), random((5,), C128)
        with forward_ad.dual_level():
            dual = ComplexTensor.from_complex(forward_ad.make_dual(primal, tangent))
            got = forward_ad.unpack_dual(dual[index].to_complex())
        assert type(got.tangent) is torch.Tensor
        torch.testing.assert_close(got.primal, primal[index])
        torch.testing.assert_close(got.tangent, tangent[index])

    def test_zero_tangent_without_memory(self):
        z, w = random((5,), C128), random((5,), C128)
        with forward_ad.dual_level():
            zero = torch._efficientzerotensor((5,), dtype=C128)
            dual = ComplexTensor.from_complex(forward_ad.make_dual(z, zero))
            got = forward_ad.unpack_dual(torch.dot(dual, ComplexTensor.from_complex(w)))
            tangent = got.tangent
            assert tangent is None or not tangent.to_complex().any()


class TestSavedTensors:
    def test_overwritten_result_raises(self):
        z = ComplexTensor.from_complex(leaf((3,)))
        y = z.exp()
        y.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.abs().sum().backward()

    def test_overwriting_through_the_other_class_raises(self):
        t = leaf((3, 2), F64) * 1
        y = (t * t).sum()
        ComplexTensor.from_interleaved(t).mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_leaf_is_not_written_through_a_view(self):
        z = ComplexTensor.from_interleaved(leaf((3, 2), F64))
        with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
            z.mul_(2)


def test_forward_mode():
    z, t = random((3,), C128), random((3,), C128)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(*map(ComplexTensor.from_complex, (z, t)))
        tangent = forward_ad.unpack_dual(dual * dual).tangent
    torch.testing.assert_close(tangent.to_complex(), 2 * z * t)


def test_hooks_and_accumulation():
    z = ComplexTensor.from_complex(random((3,), C128)).detach().requires_grad_()
    z.register_hook(lambda g: 2 * g)
    for _ in range(2):
        (z * z.conj()).real.sum().backward()
    torch.testing.assert_close(z.grad.to_complex(), 8 * z.detach().to_complex())


COMPILED = {
    "arithmetic": lambda z, w: (z * w + 1j).exp() * 2j,
    "two results": lambda z, w: (z.sin() * w, z.abs()),
    "matmul": lambda z, w: z @ w.mT,
    "views": lambda z, w: (z.t()[1:] * w.t()[1:]).reshape(-1),
    "reduction": lambda z, w: z.sum(0) * w.mean(0),
    "fft": lambda z, w: torch.fft.fft(z) * w,
    "in and out": lambda z, w: ComplexTensor.from_complex(z.to_complex() * 2j) * w,
    "from parts": lambda z, w: ComplexTensor.from_parts(z.abs(), w.imag) * z,
}


def plain_leaves(tree):
    tree = tree if isinstance(tree, tuple) else (tree,)
    return [t.to_complex() if isinstance(t, ComplexTensor) else t for t in tree]


class TestCompile:
    @pytest.fixture(params=[ComplexTensor.from_complex, None], ids=["interleaved", "planar"])
    def make(self, request):
        def planar(z):
            return ComplexTensor(*torch.stack([z.real, z.imag]).unbind(0))

        return request.param or planar

    def check(self, f, inputs, **options):
        compiled = torch.compile(f, backend="aot_eager", fullgraph=True, **options)
        want, got = f(*inputs), compiled(*inputs)
        pairs = list(zip(*(t if isinstance(t, tuple) else (t,) for t in (got, want)), strict=True))
        for g, w in pairs:
            assert type(g) is type(w)
            assert g.stride() == w.stride()
        torch.testing.assert_close(plain_leaves(got), plain_leaves(want))
        return [sum(t.abs().sum() for t in plain_leaves(tree)) for tree in (got, want)]

    @pytest.mark.parametrize("f", COMPILED.values(), ids=COMPILED.keys())
    def test_forward_and_gradient(self, f, make):
        inputs = [make(random((3, 4), C128)).detach().requires_grad_() for _ in range(2)]
        got, want = (torch.autograd.grad(t, inputs) for t in self.check(f, inputs))
        assert [type(g) for g in got] == [type(w) for w in want]
        torch.testing.assert_close(plain_leaves(got), plain_leaves(want))

    @pytest.mark.parametrize(
        "loss",
        [
            lambda z: z.real.sum(),
            lambda z: z.imag.sum(),
            lambda z: z.as_interleaved().sum(),
            lambda z: z.to_complex().abs().sum(),
            lambda z: z.abs().sum(),
        ],
        ids=["real", "imag", "as_interleaved", "to_complex", "abs"],
    )
    def test_loss_outside_of_the_graph(self, loss, make):
        def f(z):
            return z.exp() * z.real

        z = make(random((3, 4), C128)).detach().requires_grad_()
        (want,) = torch.autograd.grad(loss(f(z)), z)
        compiled = torch.compile(f, backend="aot_eager", fullgraph=True)
        (got,) = torch.autograd.grad(loss(compiled(z)), z)
        torch.testing.assert_close(got.to_complex(), want.to_complex())

    def test_dynamic_shapes(self, make):
        def f(z):
            return (z * z).t()[1:] * 2j

        compiled = torch.compile(f, backend="aot_eager", fullgraph=True, dynamic=True)
        for n in (3, 5, 6, 8):
            z = make(random((n, n + 1), C128)).detach()
            torch.testing.assert_close(compiled(z).to_complex(), f(z).to_complex())

    @pytest.mark.parametrize(
        "write",
        [
            lambda z: z.mul_(2j),
            lambda z: z.__setitem__(0, 1),
            lambda z: torch.view_as_real(z).mul_(2),
            lambda z: z.t()[1].zero_(),
        ],
        ids=["whole", "row", "real view", "view"],
    )
    def test_input_mutation(self, write, make):
        def f(z):
            write(z)
            return z + 1

        values = random((3, 4), C128)
        ours, theirs = (torch.clone(make(values)) for _ in range(2))
        got = torch.compile(f, backend="aot_eager", fullgraph=True)(ours)
        want = f(theirs)
        torch.testing.assert_close(ours.to_complex(), theirs.to_complex())
        torch.testing.assert_close(got.to_complex(), want.to_complex())

    def test_mutated_input_that_is_a_view_of_a_plain_tensor(self):
        def f(z):
            torch.view_as_real(z).mul_(2)
            return z + 1

        plain = random((3,), C128)
        want = 2 * plain
        z = ComplexTensor.from_complex(plain)
        got = torch.compile(f, backend="aot_eager", fullgraph=True)(z)
        torch.testing.assert_close(plain, want)
        torch.testing.assert_close(got.to_complex(), want + 1)

    @pytest.mark.xfail(
        reason="torch.real as a function gives a plain gradient; z.real gives a split one",
        raises=RuntimeError,
    )
    @pytest.mark.parametrize("part", [torch.real, torch.imag, torch.view_as_real])
    def test_loss_of_a_function_of_torch_outside_of_the_graph(self, part):
        z = ComplexTensor.from_complex(random((3,), C128)).detach().requires_grad_()
        compiled = torch.compile(torch.exp, backend="aot_eager", fullgraph=True)
        torch.autograd.grad(part(compiled(z)).sum(), z)

    def test_module_with_a_complex_weight(self, make):
        module = torch.nn.Linear(4, 3, bias=False, dtype=C128)
        module.weight = torch.nn.Parameter(make(module.weight.detach()).detach())
        x = make(random((2, 4), C128)).detach()
        got, want = self.check(module, [x])
        grads = [torch.autograd.grad(t, [module.weight]) for t in (got, want)]
        torch.testing.assert_close(*map(plain_leaves, grads))
