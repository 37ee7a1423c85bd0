"""Which failures of random programs count as torch's own."""

import pytest
import torch

from torch_complex_subclass.fuzz import judge
from torch_complex_subclass.fuzz.check import decomposed, failures
from torch_complex_subclass.fuzz.perturb import Perturbed
from torch_complex_subclass.fuzz.program import Input, Program, Step

TWO = Program(
    (Input("x0", (2, 3), "c64", 1),),
    (Step("torch.sin(x0)", "v0"), Step("v0 * 2", "v1")),
    ("v0", "v1"),
)


def changed(index, change):
    """A compiler that changes one result."""

    def compiler(fn, arguments):
        def call(*inputs):
            results = list(fn(*inputs))
            results[index] = change(results[index])
            return results

        return call

    return compiler


def raises(error, text=""):
    """A compiler that raises, in the program's line that has `text` if one is given."""

    def compiler(fn, arguments):
        if not text:
            raise error
        return lambda x: fn(Raising(x, error, text))

    return compiler


def failed(backend, text):
    """What Dynamo raises where a backend does."""

    def compiler(gm, inputs):
        raise RuntimeError(text)

    compiler.__name__ = backend
    with pytest.raises(RuntimeError, match=f"(?s){backend}.*{text}") as raised:
        torch.compile(lambda x: x + 1, backend=compiler)(torch.ones(1))
    return raised.value


class Raising:
    """Stands for a tensor in a program and raises when torch.sin or the product is asked."""

    def __init__(self, value, error, text):
        self.value, self.error, self.text = value, error, text

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        x = args[0]
        if x.text == "sin":
            raise x.error
        return x

    def __mul__(self, other):
        raise self.error


def verdict(ours, theirs, monkeypatch):
    monkeypatch.setitem(judge._WITNESSES, "rewritten", [("theirs", theirs)])
    found = list(failures(TWO, ours))
    assert found
    return judge.torch_is_at_fault(TWO, found, "rewritten")


def plus(by):
    return lambda t: t + by


def by_columns(t):
    """The same numbers with other strides."""
    return t.mT.contiguous().mT


@pytest.mark.parametrize(
    ("ours", "theirs", "excused"),
    [
        (changed(0, plus(1)), changed(0, plus(1)), True),
        (changed(0, plus(1)), changed(1, plus(1)), False),
        (changed(0, plus(1)), changed(0, plus(2)), False),
        (changed(0, plus(torch.nan)), changed(0, plus(torch.nan)), True),
        (changed(0, by_columns), changed(0, by_columns), True),
        (changed(0, by_columns), changed(0, plus(1)), False),
        (changed(0, torch.conj_physical), changed(0, lambda t: t + 0.5), False),
        (changed(1, torch.conj), changed(1, torch.conj), True),
        (changed(1, torch.conj), changed(1, torch.conj_physical), False),
        (raises(RuntimeError("a"), "sin"), raises(RuntimeError("b"), "sin"), True),
        (raises(RuntimeError("a"), "sin"), raises(RuntimeError("a"), "*"), False),
        (raises(RuntimeError("a"), "sin"), raises(TypeError("a"), "sin"), False),
        (raises(RuntimeError("size 3")), raises(RuntimeError("size 4")), True),
        (raises(RuntimeError("size 3")), raises(RuntimeError("another")), False),
        (raises(failed("ours", "a")), raises(failed("theirs", "a")), True),
        (raises(failed("ours", "a")), raises(failed("theirs", "b")), False),
    ],
)
def test_only_the_same_failure_excuses(ours, theirs, excused, monkeypatch):
    assert bool(verdict(ours, theirs, monkeypatch)) is excused


@pytest.mark.parametrize(
    ("alone", "mended", "excused"),
    [
        (changed(0, plus(2)), changed(0, plus(1)), True),
        (changed(0, plus(2)), changed(0, plus(3)), False),
        (changed(1, plus(1)), changed(0, plus(1)), False),
        (changed(0, plus(0)), changed(0, plus(1)), False),
        (raises(RuntimeError("a")), changed(0, plus(1)), False),
    ],
)
def test_a_second_defect_of_torch_shows_once_the_first_is_mended(
    alone, mended, excused, monkeypatch
):
    monkeypatch.setattr(judge.check, "traced", alone)
    monkeypatch.setattr(judge.check, "mended", mended)
    assert bool(verdict(changed(0, plus(1)), changed(0, plus(0)), monkeypatch)) is excused


def test_every_failure_needs_an_excuse(monkeypatch):
    def both(fn, arguments):
        first = changed(0, plus(1))(fn, arguments)
        return changed(1, plus(1))(first, arguments)

    assert not verdict(both, changed(0, plus(1)), monkeypatch)
    assert verdict(both, both, monkeypatch)


def test_strides_that_torch_traces_so_are_its_own(monkeypatch):
    """The kernel gives the result of `angle(transposed)` contiguous strides, the trace not."""
    program = Program(
        # Which of the hard values a tensor of no dimensions has, data decide.
        (Input("x0", (2, 3), "c64", 1, "transposed"), Input("x1", (), "c64", 1, values="hard")),
        (Step("torch.angle(x0)", "v0"),),
        ("v0",),
    )
    monkeypatch.setitem(judge._WITNESSES, "rewritten", [])
    found = list(failures(program))
    assert [f.kind for f in found] == ["strides"]
    assert judge.torch_is_at_fault(program, found, "rewritten") == judge.FAKE


def test_decomposition_that_raises_hides_no_other():
    """Inductor's of `put` has other strides than the kernel; its of `nan_to_num` takes no complex.

    Both are stock's: this package takes the numbers apart first.
    """
    program = Program(
        (Input("x0", (3, 3), "c64", 1, "transposed"),),
        (
            Step("x0.put(torch.tensor([0]), x0.flatten()[-1:])", "v0"),
            Step("torch.nan_to_num(v0)", "v1"),
        ),
        ("v0", "v1"),
    )
    found = list(failures(program))
    assert [f.kind for f in found] == ["strides", "strides"]
    assert judge.torch_is_at_fault(program, found, "rewritten") == judge.PARTLY


def test_backward_pass_that_raises_hides_no_result():
    """Stock's gradient of a conjugated result raises; that `put` has other strides is seen."""
    program = Program(
        (
            Input("x0", (3, 3), "c64", 1, "transposed"),
            Input("x1", (2,), "f32", 2, requires_grad=True),
        ),
        (
            Step("x0.put(torch.tensor([0]), x0.flatten()[-1:])", "v0"),
            Step("torch.complex(x1.abs(), x1 * 2).conj()", "v1"),
        ),
        ("v0", "v1"),
    )
    theirs = [f.kind for f in failures(program, decomposed)]
    assert theirs == ["error", "strides"]
    found = list(failures(program))
    assert [f.kind for f in found] == ["strides"]
    assert judge.torch_is_at_fault(program, found, "rewritten") == judge.DECOMPOSED


def test_operand_of_sinc_is_perturbed():
    """sinc(-1) is zero; the kernel gives pi's rounding error, which double precision shows too."""
    with Perturbed(0):
        moved = torch.sinc(torch.full((9,), -1.0, dtype=torch.float64))
    assert moved.abs().max().item() > 1e-17
    step = Step("torch.sinc(torch.tensor([1 + 2j, -1], dtype=c128))", "v0")
    assert not list(failures(Program((), (step,), ("v0",))))


def test_zero_of_sinc_can_be_exact():
    """A kernel that reduces its operand well gives zero, where a power has no gradient."""
    x = torch.full((100,), -1.0, dtype=torch.float64)
    with Perturbed(0):
        moved = torch.sinc(x)
        others = torch.sinc(x + 0.5)
    assert 10 < (moved == 0).sum() < 90
    assert (others != 0).all()
    program = Program(
        (Input("x0", (9,), "c64", 1, values="hard", requires_grad=True),),
        (Step("torch.sinc(x0)", "v0"), Step("v0 ** (1 + 1j)", "v1")),
        ("v1",),
    )
    assert not list(failures(program))


def test_views_are_not_perturbed():
    x = torch.ones(1, 3).expand(2, 1, 3)
    with Perturbed(0):
        x.squeeze_()
        x = torch.ops.aten._unsafe_view(x, [2, 3, 1]).squeeze(-1)
    assert x.shape == (2, 3)
    assert (x == 1).all()


def test_negated_zeros_have_any_sign():
    """Torch's vector code makes 0 of 0, and its other code -0: these depend on a number's place."""
    z = torch.ones(100, dtype=torch.complex128)
    with Perturbed(0):
        moved = -z
        in_place = z.clone().neg_()
        real = -torch.zeros(100)
    for negated in (moved, in_place):
        assert (negated == -1).all()
        assert 10 < negated.imag.signbit().sum() < 90
    assert real.signbit().all()
    steps = (Step("-1 ** x0", "v0"), Step("torch.log(v0)", "v1"))
    assert not list(failures(Program((Input("x0", (5,), "c128", 822),), steps, ("v1",))))
