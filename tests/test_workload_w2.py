"""W2: the physics of the operations, and the device and compile helpers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from torch_complex_subclass.bench import jax_worker
from torch_complex_subclass.bench.workloads import page, w2_command
from torch_complex_subclass.bench.workloads import w2_by_hand as by_hand
from torch_complex_subclass.bench.workloads import w2_devices as devices
from torch_complex_subclass.bench.workloads import w2_in_jax as in_jax
from torch_complex_subclass.bench.workloads import w2_operations as operations
from torch_complex_subclass.bench.workloads.w2_waves import draw_mera

c128 = torch.complex128

superposition = operations.compute_field_superposition.fn
vortices = operations.compute_vortex_field.fn
entropy = operations.compute_entanglement_entropy_svd.fn
potential = operations.compute_condensate_potential.fn
evolve = operations.evolve_condensate_gp.fn
coarse_grain = operations.contract_mera_layer.fn


def random(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=c128, generator=torch.Generator().manual_seed(1))


# ---------------------------------------------------------------- waves


def test_field_of_two_sources_is_the_sum_of_their_fields() -> None:
    points = torch.randn(7, 3, dtype=torch.float64)
    sources = torch.tensor([[0.0, 0, 0], [3, 0, 0]], dtype=torch.float64)
    rest = [torch.tensor(v, dtype=torch.float64) for v in ([1.0, 2], [0.5, 3], [0.1, -2])]
    both = superposition(points, sources, *rest, t=0.7, k=2.0)
    single = [
        superposition(points, sources[i : i + 1], *(v[i : i + 1] for v in rest), t=0.7, k=2.0)
        for i in range(2)
    ]
    torch.testing.assert_close(both, single[0] + single[1])


def test_field_of_a_source_is_a_spherical_wave() -> None:
    one = torch.ones(1, dtype=torch.float64)
    point = torch.tensor([[0.0, 3, 4]], dtype=torch.float64)
    got = superposition(
        point, torch.zeros(1, 3, dtype=torch.float64), 2 * one, 3 * one, one, 0.5, 2
    )
    want = 3 / 5.1 * torch.exp(1j * torch.tensor([2 * 5 + 2 * 0.5 + 1], dtype=torch.float64))
    torch.testing.assert_close(got, want)


@pytest.mark.parametrize("charge", [-2, -1, 1, 3])
def test_phase_winds_around_a_vortex_by_its_charge(charge: int) -> None:
    angle = torch.linspace(0, 2 * math.pi, 201, dtype=torch.float64)
    circle = torch.stack((1 + angle.cos(), 2 + angle.sin(), 0 * angle), dim=-1)
    centers = torch.tensor([[1.0, 2, 0], [9, 9, 0]], dtype=torch.float64)
    field = vortices(circle, centers, torch.tensor([charge, 1], dtype=torch.float64))
    turns = (field[1:] / field[:-1]).angle().sum() / (2 * math.pi)
    assert float(turns) == pytest.approx(charge, abs=1e-9)
    assert float(vortices(centers, centers, torch.ones(2, dtype=torch.float64)).abs().max()) == 0


# ---------------------------------------------------------------- tensor networks


def test_mera_layer_keeps_the_norm_of_what_its_isometries_reach() -> None:
    draw = torch.Generator().manual_seed(0)
    tensors, unitaries, isometries = draw_mera((6, 3, 5), c128, draw)
    identity = torch.eye(5, dtype=c128).expand(3, 5, 5)
    torch.testing.assert_close(isometries.mH @ isometries, identity)
    everything = torch.eye(18, dtype=c128).expand(3, 18, 18)
    torch.testing.assert_close(unitaries.mH @ unitaries, everything)
    coarse = random(3, 5)
    fine = torch.einsum("pij,pj->pi", isometries, coarse)
    before = torch.einsum("pj,pij->pi", fine, unitaries.conj()).reshape(6, 3, 3)
    torch.testing.assert_close(coarse_grain(before, unitaries, isometries), coarse)
    got = coarse_grain(tensors, unitaries, isometries)
    assert (got.norm(dim=1) <= tensors.reshape(3, -1).norm(dim=1)).all()


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_entropy_of_known_states(rank: int) -> None:
    state = torch.zeros(4, 6, dtype=c128)
    state.diagonal()[:rank] = torch.exp(1j * torch.arange(rank, dtype=torch.float64)) / 3
    assert float(entropy(state, (4, 6))) == pytest.approx(math.log(rank), abs=1e-12)


def test_entropy_of_two_unequal_terms() -> None:
    state = torch.tensor([0.8, 0, 0, 0.6j], dtype=c128)
    want = -0.64 * math.log(0.64) - 0.36 * math.log(0.36)
    assert float(entropy(state, (2, 2))) == pytest.approx(want)


# ---------------------------------------------------------------- condensate


@pytest.mark.parametrize("rank", [3, 4])
def test_evolution_conserves_norm_and_energy(rank: int) -> None:
    phi = 0.5 * random(8, 8, 8)
    start, energy = phi, float(potential(phi, -0.5, 0.4, rank))
    for _ in range(1000):
        phi = evolve(phi, 0.01, -0.5, 0.4, rank)
    assert float(phi.norm() / start.norm()) == pytest.approx(1, abs=1e-11)
    assert float(potential(phi, -0.5, 0.4, rank)) == pytest.approx(energy, rel=1e-4)
    assert float((phi - start).norm() / start.norm()) > 0.5


def test_step_of_a_plane_wave_is_a_phase() -> None:
    n, dt, mass_sq, coupling = 8, 0.3, -0.2, 0.7
    place = torch.arange(n, dtype=torch.float64)
    wave = 0.6 * torch.exp(2j * torch.pi * place / n)
    phi = wave[:, None, None].expand(n, n, n)
    energy = 2 - 2 * math.cos(2 * math.pi / n) + mass_sq + coupling * 0.36
    want = phi * complex(math.cos(energy * dt), -math.sin(energy * dt))
    torch.testing.assert_close(evolve(phi, dt, mass_sq, coupling, 4), want)


def test_steps_are_of_second_order() -> None:
    phi = random(6, 6, 6)

    def after(steps: int) -> Tensor:
        z = phi
        for _ in range(steps):
            z = evolve(z, 0.2 / steps, 0.1, 0.5, 4)
        return z

    exact = after(64)
    errors = [float((after(n) - exact).norm()) for n in (4, 8)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)


# ---------------------------------------------------------------- moves


def moves_in_jax(state: Tensor) -> tuple[Tensor, ...]:
    return jax_worker.to_torch(in_jax.moves(*jax_worker.from_torch([state])))


def moves_by_hand(state: Tensor) -> tuple[Tensor, ...]:
    proposed, accepted, factor = by_hand.moves(state)
    return proposed, accepted, torch.view_as_complex(factor)


@pytest.mark.parametrize("propose", [operations.propose.fn, moves_by_hand, moves_in_jax])
def test_moves_change_one_slice_by_one(propose: Callable[[Tensor], Any]) -> None:
    torch.manual_seed(0)
    state = torch.full((2000, 4), 3.0)
    first, probability, factor = propose(state)
    change = first - state
    assert set(change.unique().tolist()) == {0.0, 1.0}  # no slice has fewer than 3
    assert int(change.count_nonzero(1).max()) == 1
    assert 0 < float(probability.min()) <= float(probability.max()) == 1
    added = change.sum(1) == 1
    want = 3 / 4 * math.exp(-2 * operations.COUPLING)
    torch.testing.assert_close(probability[added], torch.full_like(probability[added], want))
    torch.testing.assert_close(probability[~added], torch.ones(int((~added).sum())))
    action = 2 * operations.COUPLING * change.sum(1)
    torch.testing.assert_close(factor, torch.exp(1j * action))
    assert float(added.float().mean()) == pytest.approx(1 / 3, abs=0.06)


def test_generator_decides_the_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "propose", operations.propose.fn)
    state = torch.full((64, 4), 9.0)
    before = torch.get_rng_state()
    generator = torch.Generator().manual_seed(3)
    a, b = (operations.cdt_propose_pachner_moves(state, generator)[0] for _ in range(2))
    again = operations.cdt_propose_pachner_moves(state, generator.manual_seed(3))[0]
    assert torch.equal(a, again)
    assert not torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), before)


# ---------------------------------------------------------------- helpers


@pytest.fixture(autouse=True)
def no_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_chosen", devices._UNSET)


@pytest.mark.parametrize(
    ("capability", "mode"),
    [((9, 0), "max-autotune"), ((8, 6), "reduce-overhead"), ((7, 5), "default")],
)
def test_mode_follows_compute_capability(
    capability: tuple[int, int], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "get_device", lambda: torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.get_compile_mode() == mode
    devices.set_compile_mode(None)
    assert devices.get_compile_mode() is None
    assert devices.get_compile_mode(auto_detect=True) == mode


def test_cpu_compiles_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.get_device() == torch.device("cpu")
    assert devices.get_compile_mode() == "default"


def test_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="no compile mode 'fast'; there are: default, reduce-"):
        devices.set_compile_mode("fast")


class Compiler:
    """Stands for torch.compile, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.modes: list[Any] = []
        self.error = error

    def __call__(self, fn: Any, *, mode: Any, **options: Any) -> Any:
        self.modes.append(str(mode))
        if self.error is None:
            return fn

        def fail(*args: Any) -> Any:
            raise self.error  # type: ignore[misc]

        return fail


def double(x: Tensor) -> Tensor:
    """Twice x."""
    return 2 * x


def test_decorated_function_compiles_once_for_each_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler()
    monkeypatch.setattr(torch, "compile", compiler)
    fn = devices.get_compiled(dynamic=True)(double)
    assert (fn.__name__, fn.__doc__) == ("double", "Twice x.")
    assert [float(fn(torch.ones(()))) for _ in range(2)] == [2, 2]
    devices.set_compile_mode(devices.CompileMode.MAX_AUTOTUNE)
    fn(torch.ones(()))
    devices.set_compile_mode(None)
    fn(torch.ones(()))
    assert compiler.modes[-1] == "max-autotune"
    assert len(compiler.modes) == 2
    devices.set_compile_mode("max-autotune")
    devices.clear_compile_cache()
    fn(torch.ones(()))
    assert len(compiler.modes) == 3


def test_what_does_not_compile_runs_eager_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", Compiler(RuntimeError("no kernel")))
    fn = devices.get_compiled(double)
    with pytest.warns(RuntimeWarning, match="double runs eager.*no kernel"):
        assert float(fn(torch.ones(()))) == 2
    assert float(fn(torch.ones(()))) == 2  # once is enough
    strict = devices.get_compiled(fallback_on_error=False)(double)
    with pytest.raises(RuntimeError, match="no kernel"):
        strict(torch.ones(()))


def test_autocast_leaves_complex_products_alone() -> None:
    z, x = torch.ones(2, 2, dtype=torch.complex64), torch.ones(2, 2)
    with devices.autocast_context():
        assert (z @ z).dtype == torch.complex64
        assert (x @ x).dtype == torch.bfloat16


# ---------------------------------------------------------------- command line and page


def test_options_become_those_of_the_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(w2_command.command_line, "main", lambda given: seen.extend(given) or 0)
    assert w2_command.main(["--operation", "field", "--size", "small", "--export", "x.json"]) == 0
    assert seen[2:6] == ["workloads", "w2_field", "--size", "small"]
    assert seen[-2:] == ["--export", "x.json"]


def test_page_puts_published_figures_beside_ours(tmp_path: Path) -> None:
    machine = dict.fromkeys(("processor", "threads", "cores", "torch", "date"), "?")
    row = {
        "case": "w2_field",
        "group": "w2",
        "size": "large",
        "mode": "inference",
        "candidates": {"eager": {"timing": {"median": 0.03}}, "ours": {"timing": None}},
        "ratios": {"eager": 20.0},
        "memory_ratios": {"eager": 4.0},
    }
    figures = tmp_path / "x.json"
    figures.write_text(json.dumps({"machine": machine, "rows": [row]}))
    page.main(figures, tmp_path)
    lines = (tmp_path / "workloads.md").read_text().splitlines()
    assert "| w2_field | large | inference | 30 | - | - | - | - | 20.00 | 2.20 | 75 % |" in lines
    assert "![Time of each candidate over ours](workloads_w2.png)" in lines
    assert [file.name for file in tmp_path.glob("*.png")] == ["workloads_w2.png"]
