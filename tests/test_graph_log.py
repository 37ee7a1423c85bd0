"""The log of graphs: what it prints, and that torch's own variable turns it on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from torch_complex_subclass import boundary_pass, graph_log

PROGRAM = """
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch_complex_subclass import backend

traced = make_fx(lambda z: torch.linalg.inv_ex(z * z)[0], tracing_mode="fake")
backend._run(traced(torch.randn(4, 4, dtype=torch.complex64)).graph)
"""


def logged(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    z = torch.randn(4, 4, dtype=torch.complex64)
    graph = make_fx(lambda z: torch.linalg.inv_ex(z * z)[0], tracing_mode="fake")(z).graph
    with caplog.at_level(level, logger=graph_log.log.name):
        graph_log.before(graph)
        graph_log.after(graph, boundary_pass.rewrite(graph, {}))
    return [r.getMessage() for r in caplog.records if r.name == graph_log.log.name]


def test_graph_before_and_after(caplog: pytest.LogCaptureFixture) -> None:
    before, after, summary = logged(caplog, logging.DEBUG)
    assert before.startswith("graph before the pass:")
    assert '"c64[4, 4]" = torch.ops.aten.mul.Tensor' in before
    assert after.startswith("graph after the pass:")
    assert '"f32[4, 4]" = torch.ops.aten.mul.Tensor' in after
    assert summary == "1 complex nodes fused, 1 native: aten.linalg_inv_ex.default"


def test_one_line_for_a_graph(caplog: pytest.LogCaptureFixture) -> None:
    assert len(logged(caplog, logging.INFO)) == 1


def test_nothing_unless_asked(caplog: pytest.LogCaptureFixture) -> None:
    assert not logged(caplog, logging.WARNING)


def test_variable_of_torch_turns_it_on(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TORCH_LOGS": "+torch_complex_subclass"},
    )
    assert result.returncode == 0, result.stderr
    for words in (
        "graph before the pass",
        "graph after the pass",
        "1 complex nodes fused, 1 native",
    ):
        assert result.stderr.count(words) == 1, result.stderr
