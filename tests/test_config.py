"""Settings: what is refused, how they are changed, and that a change reaches compiled code."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters

import torch_complex_subclass as tcs
from torch_complex_subclass import bcomplex32, torch_compat
from torch_complex_subclass.inductor_lowering import rounding

SETTINGS = ["eager_kernels", "emulate_precision_casts"]


class TestSettings:
    @pytest.mark.parametrize("name", SETTINGS)
    def test_default(self, name: str) -> None:
        assert getattr(tcs.config, name) is False

    def test_unknown_name(self) -> None:
        text = r"no setting 'eager'; the settings are eager_kernels, emulate_precision_casts"
        with pytest.raises(AttributeError, match=text):
            tcs.config.eager = True
        with (
            pytest.raises(AttributeError, match=text),
            tcs.config.patch(eager_kernels=True, eager=True),
        ):
            pass
        assert not tcs.config.eager_kernels

    @pytest.mark.parametrize("value", [1, None, "on"])
    def test_wrong_type(self, value: Any) -> None:
        text = "tcs.config.eager_kernels must be a bool; got "
        with pytest.raises(TypeError, match=text):
            tcs.config.eager_kernels = value
        with pytest.raises(TypeError, match=text), tcs.config.patch(eager_kernels=value):
            pass
        assert tcs.config.eager_kernels is False

    def test_patch_in_a_block(self) -> None:
        with tcs.config.patch(eager_kernels=True):
            with tcs.config.patch(eager_kernels=False, emulate_precision_casts=True):
                assert (tcs.config.eager_kernels, tcs.config.emulate_precision_casts) == (
                    False,
                    True,
                )
            assert (tcs.config.eager_kernels, tcs.config.emulate_precision_casts) == (True, False)
        assert not tcs.config.eager_kernels

    def test_patch_ends_with_an_error(self) -> None:
        with pytest.raises(ZeroDivisionError), tcs.config.patch(eager_kernels=True):
            _ = 1 / 0
        assert not tcs.config.eager_kernels

    def test_patch_of_a_function(self) -> None:
        @tcs.config.patch(eager_kernels=True)
        def setting() -> bool:
            return tcs.config.eager_kernels

        assert [setting(), tcs.config.eager_kernels, setting()] == [True, False, True]

    def test_holds_in_other_threads(self) -> None:
        seen: list[bool] = []
        with tcs.config.patch(eager_kernels=True):
            thread = threading.Thread(target=lambda: seen.append(tcs.config.eager_kernels))
            thread.start()
            thread.join()
        assert seen == [True]


def random(*shape: int) -> Tensor:
    return tcs.randn(*shape, dtype=bcomplex32)


def parts(t: Tensor) -> Tensor:
    t = t.detach()
    return t.as_interleaved() if isinstance(t, tcs.ComplexTensor) else t


def compiled(fn: Callable[..., Any], *args: Any) -> Any:
    torch._dynamo.reset()
    with tcs.enabled():
        return torch.compile(fn, fullgraph=True)(*args)


def differing(got: Tensor, want: Tensor) -> float:
    """Share of the numbers whose bits differ, NaN but as NaN."""
    found, exact = parts(got), parts(want)
    same = (found == exact) | (found.isnan() & exact.isnan())
    return float((~same).double().mean())


def arithmetic(z: Tensor, w: Tensor) -> Tensor:
    return (z * w + w) / (z - 2.5) * z.conj() + 0.1 * w.real


def choice(z: Tensor, w: Tensor) -> Tensor:
    product = z * w
    return torch.where(product.real > 0, product, -w) * product.imag - z


def gradient(z: Tensor, w: Tensor) -> Tensor:
    z = z.detach().requires_grad_()
    value = (z * w + w) * z
    return torch.autograd.grad(value.real.sum() + value.imag.sum(), z)[0]


def functions(z: Tensor, w: Tensor) -> Tensor:
    return ((z.exp() * w).sin() + z.tanh()).log() * w.abs()


# Share of numbers that may differ: ties that the library's sine and logarithm, which are not
# Inductor's, see from the other side.
CHAINS = [
    pytest.param(arithmetic, 0.0, id="arithmetic"),
    pytest.param(choice, 0.0, id="choice"),
    pytest.param(functions, 1e-3, id="functions", marks=pytest.mark.slow),
]


class TestEmulatePrecisionCasts:
    @pytest.mark.parametrize(("chain", "ties"), CHAINS)
    def test_bits_are_those_of_eager(self, chain: Any, ties: float) -> None:
        z, w = random(4096), random(4096)
        want = chain(z, w)
        assert differing(compiled(chain, z, w), want) > 0.01
        with tcs.config.patch(emulate_precision_casts=True):
            assert differing(compiled(chain, z, w), want) <= ties

    def test_gradients(self) -> None:
        """The backward graph is compiled after the forward one, and the setting is off by then."""

        def loss(z: Tensor, w: Tensor) -> Tensor:
            return ((z * w + w) * z).real.sum()

        def gradient(fn: Callable[..., Tensor]) -> Tensor:
            leaf = z.detach().requires_grad_()
            with tcs.config.patch(emulate_precision_casts=True):
                value = fn(leaf, w)
            return torch.autograd.grad(value, leaf)[0]

        z, w = random(512), random(512)
        assert differing(gradient(lambda *args: compiled(loss, *args)), gradient(loss)) == 0

    def test_cached_code_is_of_the_same_setting(self, tmp_path: Path) -> None:
        z, w = random(64), random(64)
        with torch_compat.cache_folder(tmp_path):
            first = compiled(choice, z, w)
            with tcs.config.patch(emulate_precision_casts=True):
                second = compiled(choice, z, w)
            assert differing(first, second) > 0
            counters.clear()
            assert differing(compiled(choice, z, w), first) == 0
            with tcs.config.patch(emulate_precision_casts=True):
                assert differing(compiled(choice, z, w), second) == 0
            assert counters["inductor"]["fxgraph_cache_miss"] == 0

    @pytest.mark.parametrize("keeps", [False, True])
    def test_older_torch_gets_what_it_lacks(
        self, keeps: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On 2.11 Inductor's setting alone left 56 % of the numbers of `arithmetic` off."""
        monkeypatch.setattr(torch_compat, "keeps_roundings", lambda: keeps)
        edited = [name for _, name, _ in rounding.replacements()]
        assert edited == ([] if keeps else ["cache_dtype_convert"])
        assert bool(rounding.table()) is not keeps
        options = torch_compat.round_every_op()
        assert options.pop("emulate_precision_casts")
        assert options == ({} if keeps else {"pattern_matcher": False})

    def test_setting_of_inductor_is_left_alone(self) -> None:
        with tcs.config.patch(emulate_precision_casts=True):
            compiled(lambda z: z + z, random(3))
            assert not torch_compat.rounds_every_op()
