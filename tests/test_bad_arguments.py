"""Bad arguments of every public name: an error that names the value, and nothing half-changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import torch_complex_subclass as tcs
from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.__main__ import main

Z = torch.ones(3, dtype=torch.complex64)
X = torch.ones(3)
NARROW = tcs.to_bcomplex32(Z)
MODULE = torch.nn.Linear(3, 3, dtype=torch.complex64)

MAKERS = {name: getattr(tcs, name) for name in ("zeros", "ones", "empty", "randn")}
LIKE = {
    name: getattr(tcs, name) for name in ("zeros_like", "ones_like", "empty_like", "randn_like")
}


def autocast(*args: Any, **kwargs: Any) -> None:
    with tcs.autocast(*args, **kwargs):
        raise AssertionError("entered")


def patch(**settings: Any) -> None:
    with tcs.config.patch(**settings):
        raise AssertionError("entered")


Case = tuple[Callable[[], Any], type[Exception] | tuple[type[Exception], ...], str]

FACTORIES: dict[str, Case] = {}
for name, make in MAKERS.items():
    FACTORIES |= {
        f"{name}, size": (
            lambda make=make: make("a", dtype=tcs.bcomplex32), TypeError, "str|tuple"
        ),
        f"{name}, no size": (lambda make=make: make(2.5, dtype=tcs.bcomplex32), TypeError, "float"),
        f"{name}, dtype": (lambda make=make: make(3, dtype="x"), TypeError, "tcs.bcomplex32, got"),
        f"{name}, option": (
            lambda make=make: make(3, dtype=tcs.bcomplex32, colour=1), TypeError, "colour"
        ),
        f"{name}, layout": (
            lambda make=make: make(3, dtype=tcs.bcomplex32, layout=torch.sparse_coo),
            ValueError,
            r"layout torch\.strided, got torch\.sparse_coo",
        ),
        # Torch's own errors, as of its functions of these names.
        f"{name}, negative": (lambda make=make: make(-1, dtype=tcs.bcomplex32), RuntimeError, "-1"),
        f"{name}, device": (
            lambda make=make: make(3, dtype=tcs.bcomplex32, device="nowhere"),
            RuntimeError,
            "nowhere",
        ),
    }  # fmt: skip
for name, make in LIKE.items():
    FACTORIES |= {
        f"{name}, no tensor": (
            lambda make=make: make([1], dtype=tcs.bcomplex32), TypeError, "list"
        ),
        f"{name}, dtype": (lambda make=make: make(Z, dtype="x"), TypeError, "tcs.bcomplex32, got"),
        f"{name}, option": (
            lambda make=make: make(Z, dtype=tcs.bcomplex32, colour=1), TypeError, "colour"
        ),
    }  # fmt: skip

OTHERS: dict[str, Case] = {
    "full, value": (lambda: tcs.full((3,), "a", dtype=tcs.bcomplex32), ValueError, "complex()"),
    "full, no value": (lambda: tcs.full((3,)), TypeError, "fill_value"),
    "full_like, value": (lambda: tcs.full_like(Z, "a", dtype=tcs.bcomplex32), ValueError, "compl"),
    "dtype_of, number": (lambda: tcs.dtype_of(3), TypeError, "expected a tensor, got int: 3"),
    "dtype_of, list": (lambda: tcs.dtype_of([Z]), TypeError, "expected a tensor, got list"),
    "to_bcomplex32, real": (lambda: tcs.to_bcomplex32(X), TypeError, r"got float32\[3\]"),
    "to_bcomplex32, number": (lambda: tcs.to_bcomplex32(1j), TypeError, "got 1j"),
    "to_bcomplex32, None": (lambda: tcs.to_bcomplex32(None), TypeError, "got None"),
    "module_to, tensor": (lambda: tcs.module_to(Z, tcs.bcomplex32), TypeError, "got Tensor"),
    "module_to, text": (lambda: tcs.module_to(MODULE, "x"), TypeError, "got 'x'"),
    "module_to, real": (lambda: tcs.module_to(MODULE, torch.float32), TypeError, "torch.float32"),
    "pack_state_dict": (lambda: tcs.pack_state_dict([Z]), TypeError, "got list; pass module.state"),
    "unpack_state_dict": (lambda: tcs.unpack_state_dict(None), TypeError, "got NoneType"),
    "unpack_state_dict, tensor": (
        lambda: tcs.unpack_state_dict({"w.bcomplex32": X}), ValueError, r"w\.bcomplex32 must be"
    ),
    "ComplexTensor, complex": (lambda: ComplexTensor(Z, Z), TypeError, "complex64"),
    "ComplexTensor, one part": (lambda: ComplexTensor(X), TypeError, "im"),
    "ComplexTensor, None": (lambda: ComplexTensor(None, None), TypeError, "got NoneType: None"),
    "ComplexTensor, shapes": (lambda: ComplexTensor(X, X[:2]), ValueError, r"float32\[2\]"),
    "ComplexTensor, option": (lambda: ComplexTensor(X, X, colour=1), TypeError, "colour"),
    "from_complex": (lambda: ComplexTensor.from_complex(X), TypeError, r"got float32\[3\]"),
    "from_parts": (lambda: ComplexTensor.from_parts(1, 2), TypeError, "got int: 1"),
    "from_interleaved": (lambda: ComplexTensor.from_interleaved(X), ValueError, r"float32\[3\]"),
    "from_interleaved, dtype": (
        lambda: ComplexTensor.from_interleaved(torch.ones(3, 2, dtype=torch.int64)),
        TypeError,
        r"torch\.int64",
    ),
    "autocast, device": (lambda: autocast("nowhere"), ValueError, "'nowhere'; use 'cpu'"),
    "autocast, None": (lambda: autocast(None), TypeError, "got None"),
    "autocast, dtype": (lambda: autocast("cpu", torch.float16), ValueError, r"torch\.float16"),
    "autocast, enabled": (lambda: autocast("cpu", enabled="no"), TypeError, "got 'no'"),
    "autocast, option": (lambda: autocast("cpu", colour=1), TypeError, "colour"),
    # What a module lacks is an AttributeError in Python.
    "config, name": (lambda: setattr(tcs.config, "x", 1), AttributeError, "the settings are"),
    "config, type": (lambda: setattr(tcs.config, "eager_kernels", 1), TypeError, "got int: 1"),
    "patch, name": (lambda: patch(x=1), AttributeError, "no setting 'x'"),
    "patch, type": (lambda: patch(eager_kernels="a"), TypeError, "got str: 'a'"),
    "patch, second": (
        lambda: patch(eager_kernels=False, emulate_precision_casts=3), TypeError, "got int: 3"
    ),
    "enable": (lambda: tcs.enable(1), TypeError, "enable"),
    "disable": (lambda: tcs.disable(1), TypeError, "disable"),
    "enabled": (lambda: tcs.enabled(1), TypeError, "enabled"),
    "is_enabled": (lambda: tcs.is_enabled(1), TypeError, "is_enabled"),
    "explain, number": (lambda: tcs.explain(3), TypeError, "function or module, got int: 3"),
    "explain, profile": (lambda: tcs.explain(torch.sin, Z, profile="x"), TypeError, "got 'x'"),
    "Explanation": (lambda: tcs.Explanation(), TypeError, "name"),
    "table": (lambda: tcs.decompositions.table(3), TypeError, "table"),
    "export_table": (lambda: tcs.decompositions.export_table(3), TypeError, "export_table"),
    "bcomplex32": (lambda: tcs.bcomplex32(3), TypeError, "BComplex32"),
    "part": (lambda: setattr(ComplexTensor.from_complex(Z), "real", "x"), TypeError, "str"),
}  # fmt: skip

CASES = FACTORIES | OTHERS


@pytest.mark.parametrize("name", CASES)
def test_refused(name: str) -> None:
    call, kind, text = CASES[name]
    before = tcs.config.eager_kernels, tcs.config.emulate_precision_casts, tcs.is_enabled()
    with pytest.raises(kind, match=text):
        call()
    assert before == (
        tcs.config.eager_kernels, tcs.config.emulate_precision_casts, tcs.is_enabled()
    )  # fmt: skip
    assert MODULE.weight.dtype == torch.complex64
    assert (Z @ Z).dtype == torch.complex64, "autocast is left on"


def test_every_public_name_is_here() -> None:
    named = " ".join(CASES)
    public = {n for n in vars(tcs) if not n.startswith("_")}
    modules = {n for n in public if type(getattr(tcs, n)).__name__ in ("module", "_Settings")}
    assert [n for n in public - modules if n not in named] == []


COMMANDS = {
    "nosuch": "'nosuch'",
    "bench nosuch": "no case or group 'nosuch'; there are: arithmetic",
    "bench arithmetic --size tiny": "'tiny'",
    "bench --suite x": "'x'",
    "fuzz --programs 0": "from 1 up, got '0'",
    "fuzz --seed x": "from 0 up, got 'x'",
    "fuzz --colour": "--colour",
    "ops nosuch": "no complex overload matches 'nosuch'; list all of them",
    "accuracy nosuch": "no function 'nosuch'; did you mean",
    "accuracy sqrt --against nosuch": "'nosuch'",
    "info more": "more",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(command.split())
    except SystemExit as stop:
        code = stop.code
    printed = capsys.readouterr()
    assert code
    assert COMMANDS[command] in printed.err + printed.out + str(code)
