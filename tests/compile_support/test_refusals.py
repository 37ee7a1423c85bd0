"""What eager refuses is refused by compiled code, in eager's words or with the user's line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from torch_complex_subclass import enabled
from torch_complex_subclass.testing.interpret import interpreted

Program = Callable[[Tensor], object]

# Kept in the graph, where eager's kernel refuses them when it is called.
BY_THE_KERNEL: dict[str, Program] = {
    "sort": lambda a: torch.sort(a)[0],
    "order": lambda a: a < a.mT,
    "max": lambda a: a.max(),
    "clamp": lambda a: a.clamp(min=0),
    "floor": lambda a: torch.floor(a),
    "relu": lambda a: torch.relu(a),
    "atan2": lambda a: torch.atan2(a, a),
    "remainder": lambda a: a % 2,
    "bits": lambda a: a & 1,
    "gammaln": lambda a: torch.special.gammaln(a),
    "erf": lambda a: torch.erf(a),
}


def eager_error(fn: Program, a: Tensor) -> Exception:
    try:
        fn(a)
    except Exception as error:
        return error
    raise AssertionError("eager has a result")


@pytest.mark.parametrize("fullgraph", [False, True])
@pytest.mark.parametrize("name", BY_THE_KERNEL)
def test_refused_in_eagers_words(name: str, fullgraph: bool) -> None:
    fn, a = BY_THE_KERNEL[name], torch.randn(3, 3, dtype=torch.complex64)
    want = eager_error(fn, a)
    with enabled(), pytest.raises(type(want)) as got:
        torch.compile(fn, fullgraph=fullgraph, backend=interpreted)(a)
    assert type(got.value) is type(want)
    assert str(got.value) == str(want)


# Refused while tracing: the text, which has the op, dtypes, shapes and the user's line as well.
BY_THE_TRACER: dict[str, tuple[Program, str]] = {
    "shapes of a product": (lambda a: a @ a[:2], "reduction dim"),
    "cholesky": (lambda a: torch.linalg.cholesky(a[:2]), "batches of square matrices"),
    "quantile": (lambda a: torch.quantile(a, 0.5), "either float or double"),
    "floor_divide": (lambda a: a // 2, "not supported for floor_divide"),
}


@pytest.mark.parametrize("fullgraph", [False, True])
@pytest.mark.parametrize("name", BY_THE_TRACER)
def test_refused_with_the_line(name: str, fullgraph: bool) -> None:
    fn, text = BY_THE_TRACER[name]
    a = torch.randn(3, 3, dtype=torch.complex64)
    assert isinstance(eager_error(fn, a), RuntimeError)
    with enabled(), pytest.raises(RuntimeError, match=text) as got:
        torch.compile(fn, fullgraph=fullgraph, backend=interpreted)(a)
    said = str(got.value)
    assert "torch.complex64" in said
    assert "size=(3, 3)" in said or "size=(2, 3)" in said
    assert "test_refusals.py" in said


def test_integer_of_a_complex_tensor() -> None:
    """Traced as the error that eager raises; without `fullgraph` it is that error."""
    fn, a = (lambda a: a * int(a[0, 0])), torch.randn(3, 3, dtype=torch.complex64)
    want = eager_error(fn, a)
    with enabled(), pytest.raises(RuntimeError) as got:
        torch.compile(fn, backend=interpreted)(a)
    assert str(got.value) == str(want)
