"""The instruments of the accuracy tests: references, samples, distances, and the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mpmath
import pytest
import torch
from mpmath import mp

from torch_complex_subclass.testing import cache, exact, plane, ulp, vanishing
from torch_complex_subclass.testing.references import REFERENCES


def test_references_agree_with_mpmath() -> None:
    """The formulas of REFERENCES are ours; mpmath's own functions check them."""
    points = [(0.3, 0.7), (-1.4, 0.2), (2.5, 1.5), (-0.6, 1.9), (1e-3, 1e-3)]
    own = {
        "sinc": mp.sincpi,
        "log2": lambda z: mp.log(z) / mp.ln2,
        "exp2": lambda z: mp.mpf(2) ** z,
    }
    own |= {"log1p": lambda z: mp.log(1 + z), "rsqrt": lambda z: 1 / mp.sqrt(z)}
    own |= {"sigmoid": lambda z: 1 / (1 + mp.exp(-z)), "silu": lambda z: z / (1 + mp.exp(-z))}
    own |= {"reciprocal": lambda z: 1 / z, "square": lambda z: z * z, "abs": abs}
    own |= {"expm1": lambda z: mp.exp(z) - 1, "sgn": mp.sign, "neg": lambda z: -z}
    own |= {"positive": lambda z: z, "_neg_view_copy": lambda z: -z}
    own |= dict.fromkeys(("_conj", "_conj_copy", "_conj_physical", "conj_physical"), mp.conj)
    with mpmath.workprec(120):
        for name, fn in REFERENCES.items():
            theirs = own.get(name) or getattr(mp, {"angle": "arg"}.get(name, name))
            for x, y in points:
                re, im = fn(mp.mpf(x), mp.mpf(y))
                want = mp.mpc(theirs(mp.mpc(x, y)))
                got = mp.mpc(im if name == "angle" else re, 0 if name == "angle" else im)
                assert abs(got - want) <= mp.mpf(2) ** -100 * abs(want), (name, x, y)


def test_ulp_distance() -> None:
    one = torch.tensor([1.0])
    zero = torch.zeros(1, dtype=torch.float64)
    next_up = torch.nextafter(one, torch.tensor([2.0]))
    top = torch.tensor([torch.finfo(torch.float32).max])
    inf = torch.tensor([torch.inf])
    assert ulp.ulp_error(next_up, (one.double(), zero)) == 1
    assert ulp.ulp_error(inf, (top.double(), zero)) == 1
    assert ulp.ulp_error(inf, (top.double() * 4, zero)) == 0
    assert ulp.ulp_error(-inf, (top.double(), zero)) > 1e7
    assert ulp.ulp_error(torch.tensor([torch.nan]), (one.double(), zero)) == torch.inf
    assert ulp.ulp_error(torch.tensor([1e-45]), (zero, zero)) == 1


def test_failure_names_the_worst_point() -> None:
    x = torch.tensor([1.0, 2.0])
    want = (x.double(), torch.zeros(2, dtype=torch.float64))
    got = torch.tensor([1.0, 2.5])
    with pytest.raises(AssertionError, match=r"op on unit: re is 2\.097e\+06 ulp off, .*x=2\.0"):
        ulp.assert_ulp(got, want, 4, at=(x, x), part="re", label="op on unit")


# ---------------------------------------------------------------- samples

DTYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("region", list(plane.REGIONS))
def test_samples_are_finite_points_of_the_dtype(region: str, dtype: torch.dtype) -> None:
    for n in (64, plane.MANY):
        for part in plane.samples(region, dtype, n):
            assert part.dtype == dtype
            assert len(part) == n
            assert part.isfinite().all()


def test_bits_reach_the_whole_range() -> None:
    x, _ = plane.samples("bits", torch.float32, plane.MANY)
    _, exponent = torch.frexp(x)
    assert exponent.min() < -126
    assert exponent.max() > 120
    assert 0.4 < (x < 0).double().mean() < 0.6


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", list(vanishing.CURVES))
def test_vanishing_points_have_one_small_part(function: str, dtype: torch.dtype) -> None:
    """Of some points on each curve next to nothing of a part is left; of none all is lost."""
    (re, _), (im, _) = exact.reference(function, plane.VANISHING, dtype)
    ratio = torch.minimum((re / im).abs(), (im / re).abs())
    assert (ratio > 0).all()
    assert (ratio < 1e-2).double().mean() > 0.3
    assert ratio.min() < 1e-5


def test_vanishing_is_a_region_of_its_functions_only() -> None:
    assert plane.VANISHING in plane.regions("sinc")
    assert plane.VANISHING not in plane.regions("sqrt")


# ---------------------------------------------------------------- references


def test_zero_counts_at_high_precision_only() -> None:
    """The difference is no zero, and is one at the first two precisions."""
    one_and_a_bit = torch.tensor([1 + 2.0**-52], dtype=torch.float64)

    def power_less_one(x: mpmath.mpf, y: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
        return mp.mpf(1) + mp.mpf(2) ** -300 * x - 1, y

    (re, _), _ = exact.evaluate(power_less_one, one_and_a_bit, one_and_a_bit)
    assert re.item() == 2.0**-300 * one_and_a_bit.item()


# ---------------------------------------------------------------- the cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_COMPLEX_SUBCLASS_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


VALUES = torch.tensor([[1.5, -0.0, torch.inf], [2.0**-1074, 1e308, 0.1]], dtype=torch.float64)


def never() -> torch.Tensor:
    raise AssertionError("made again")


def test_kept_values_come_back_bit_for_bit(folder: Path) -> None:
    assert torch.equal(cache.kept("a", b"key", lambda: VALUES), VALUES)
    again = cache.kept("a", b"key", never)
    assert torch.equal(again.view(torch.int64), VALUES.view(torch.int64))
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_another_key_replaces_the_file(folder: Path) -> None:
    cache.kept("a", b"key", lambda: VALUES)
    assert torch.equal(cache.kept("a", b"other", lambda: VALUES + 1), VALUES + 1)
    assert torch.equal(cache.kept("a", b"other", never), VALUES + 1)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("damage", [lambda b: b[:-8], lambda b: b[:9], lambda b: b"", bytes.upper])
def test_damaged_file_is_made_again(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    cache.kept("a", b"key", lambda: VALUES)
    path = folder / "a"
    path.write_bytes(damage(path.read_bytes() + b"a"))
    assert torch.equal(cache.kept("a", b"key", lambda: VALUES), VALUES)
    assert torch.equal(cache.kept("a", b"key", never), VALUES)


def test_folder_that_cannot_be_written_keeps_nothing(folder: Path) -> None:
    folder.write_text("a file")
    assert torch.equal(cache.kept("a", b"key", lambda: VALUES), VALUES)
    assert folder.read_text() == "a file"


def test_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TORCH_COMPLEX_SUBCLASS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "torch_complex_subclass"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "torch_complex_subclass"


def test_reference_is_read_back(folder: Path) -> None:
    made = exact.reference.__wrapped__("sqrt", "unit", torch.float32, 8)
    path = folder / "sqrt-unit-float32-8"
    before = path.stat().st_mtime_ns
    read = exact.reference.__wrapped__("sqrt", "unit", torch.float32, 8)
    assert path.stat().st_mtime_ns == before
    for a, b in zip(made, read, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True))
