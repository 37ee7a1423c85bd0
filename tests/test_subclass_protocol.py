"""ComplexTensor as a tensor: construction, conversion, copies, files, modules, compilation."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.errors import UnsupportedOperationError


def plain(*shape: int, dtype: torch.dtype = torch.complex64) -> Tensor:
    return torch.randn(shape, dtype=dtype)


def wrapped(z: Tensor) -> ComplexTensor:
    return ComplexTensor.from_complex(z)


def assert_equal(found: Any, wanted: Tensor) -> None:
    assert isinstance(found, ComplexTensor)
    assert found.dtype == wanted.dtype
    assert torch.equal(found.to_complex(), wanted)


def test_construct() -> None:
    re, im = torch.randn(2, 3), torch.randn(2, 3)
    z = ComplexTensor(re, im)
    assert z.dtype == torch.complex64
    assert z.shape == (2, 3)
    assert_equal(z, torch.complex(re, im))


@pytest.mark.parametrize(
    ("re", "im", "error", "text"),
    [
        (torch.ones(2), 1.0, TypeError, "im must be a tensor, got float: 1.0"),
        (torch.ones(2).int(), torch.ones(2).int(), TypeError, "dtypes .* got torch.int32"),
        (torch.ones(2), torch.ones(3), ValueError, r"float32\[2\] on cpu and float32\[3\]"),
        (torch.ones(2), torch.ones(2).double(), ValueError, "float64"),
    ],
)
def test_refuses_other_parts(re: Any, im: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        ComplexTensor(re, im)


def test_refuses_parts_with_gradients() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="from_parts"):
        ComplexTensor(x, x)


def test_interleaved_memory_is_shared() -> None:
    t = torch.randn(3, 2)
    z = ComplexTensor.from_interleaved(t)
    z.mul_(2)
    assert_equal(z, torch.view_as_complex(t))
    t.zero_()
    assert not z.to_complex().any()
    assert z.as_interleaved().data_ptr() == t.data_ptr()


def test_from_interleaved_names_the_shape() -> None:
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 2\), got float32\[3\]"):
        ComplexTensor.from_interleaved(torch.ones(3))


def test_conj_bit_is_resolved() -> None:
    z = plain(3).conj()
    assert_equal(wrapped(z), z.resolve_conj())


def test_repr() -> None:
    z = ComplexTensor(torch.tensor([1.0]), torch.tensor([2.0]))
    assert repr(z) == "ComplexTensor([1.+2.j])"
    assert repr(z.requires_grad_()) == "ComplexTensor([1.+2.j], requires_grad=True)"
    assert "grad_fn=<" in repr(z * 2)


@pytest.mark.parametrize(
    "duplicate",
    [copy.deepcopy, torch.clone, lambda z: pickle.loads(pickle.dumps(z))],
    ids=["deepcopy", "clone", "pickle"],
)
def test_copies_are_independent(duplicate: Any) -> None:
    z = plain(2, 3)
    w = wrapped(z.clone())
    other = duplicate(w)
    w.zero_()
    assert_equal(other, z)


def test_save_and_load_weights_only() -> None:
    z = plain(2, 3)
    file = io.BytesIO()
    torch.save({"z": wrapped(z)}, file)
    file.seek(0)
    assert_equal(torch.load(file, weights_only=True)["z"], z)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_to(dtype: torch.dtype) -> None:
    z = plain(3)
    assert_equal(wrapped(z).to(dtype), z.to(dtype))


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(wrapped(plain(4, 3)))

    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.weight).abs().sum()


def test_module_state() -> None:
    first, second = Model(), Model()
    second.load_state_dict(first.state_dict())
    assert isinstance(second.weight, ComplexTensor)
    assert torch.equal(second.weight.to_complex(), first.weight.to_complex())


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD"])
def test_optimizer_updates_the_parameter(name: str, foreach: bool) -> None:
    model = Model()
    reference = torch.nn.Parameter(model.weight.detach().to_complex().clone())
    make = getattr(torch.optim, name)
    ours = make(model.parameters(), lr=0.1, foreach=foreach)
    theirs = make([reference], lr=0.1, foreach=foreach)
    x = plain(5, 4)
    for _ in range(3):
        ours.zero_grad()
        theirs.zero_grad()
        model(wrapped(x)).backward()
        (x @ reference).abs().sum().backward()
        ours.step()
        theirs.step()
    torch.testing.assert_close(model.weight.detach().to_complex(), reference.detach())


def test_gradients_of_mixed_operands() -> None:
    z, r = plain(3), torch.randn(3)
    results = []
    for make in (wrapped, lambda t: t):
        leaf, real = z.clone().requires_grad_(), r.clone().requires_grad_()
        w = make(leaf) * real + 2j - z
        (w.abs() ** 2).sum().backward()
        results.append((leaf.grad, real.grad))
    torch.testing.assert_close(results[0], results[1])


def test_gradients_reach_both_parts() -> None:
    re, im = (torch.randn(3, requires_grad=True) for _ in range(2))
    (ComplexTensor.from_parts(re, im) * (1 + 2j)).abs().sum().backward()
    found = re.grad, im.grad
    other = [t.detach().clone().requires_grad_() for t in (re, im)]
    (torch.complex(*other) * (1 + 2j)).abs().sum().backward()
    torch.testing.assert_close(found, tuple(t.grad for t in other))


def test_in_place_through_views() -> None:
    z = plain(3, 4)
    w = wrapped(z.clone())
    for t in (w, z):
        t[1:].mul_(2j)
        t[0] = 3
        t.t()[2] += 1
        t[:, 3].copy_(t[:, 0])
        t.real.add_(1)
    torch.testing.assert_close(w.to_complex(), z)


def test_unsupported_op_says_what_to_do() -> None:
    w = wrapped(plain(2, 3))
    with pytest.raises(
        UnsupportedOperationError,
        match=r"(?s)aten\.lt\.Tensor is not supported .*no order.*complex64\[2, 3\].*abs\(\)",
    ):
        _ = w < w


def cache_key(z: ComplexTensor) -> str:
    # By the name that torch asks for, so that it warns of none.
    return z._stable_hash_for_caching()


def test_cache_keys_hold_what_code_depends_on() -> None:
    """Sizes, strides, dtypes, layout and gradient, and no values."""
    z = wrapped(plain(4, 4))
    assert cache_key(z) == cache_key(ComplexTensor.from_interleaved(torch.zeros(4, 4, 2)))
    others = [
        wrapped(plain(2, 4)),
        wrapped(plain(4, 4).mT),
        wrapped(plain(4, 4, dtype=torch.complex128)),
        wrapped(plain(4, 4, dtype=torch.complex32)),
        ComplexTensor.from_interleaved(torch.randn(4, 4, 2, dtype=torch.bfloat16)),
        wrapped(plain(4, 4)).requires_grad_(),
        ComplexTensor._wrap(torch.randn(4, 4), torch.randn(4, 4)),
    ]
    keys = {cache_key(other) for other in [z, *others]}
    assert len(keys) == 1 + len(others)


def test_compiles_in_one_graph() -> None:
    def fn(a: Tensor, b: Tensor) -> Tensor:
        return (a * b.conj() + 1j).exp()

    a, b = plain(3), plain(3)
    compiled = torch.compile(fn, fullgraph=True, backend="aot_eager")
    found = compiled(wrapped(a), wrapped(b))
    assert isinstance(found, ComplexTensor)
    torch.testing.assert_close(found.to_complex(), fn(a, b))


def test_compiled_gradient() -> None:
    def fn(a: Tensor) -> Tensor:
        return (a * a).abs().sum()

    z = plain(3)
    leaf = wrapped(z).detach().requires_grad_()
    torch.compile(fn, fullgraph=True, backend="aot_eager")(leaf).backward()
    reference = z.clone().requires_grad_()
    fn(reference).backward()
    assert isinstance(leaf.grad, ComplexTensor)
    torch.testing.assert_close(leaf.grad.to_complex(), reference.grad)
