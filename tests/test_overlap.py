"""Which tensors have elements in common."""

from __future__ import annotations

import itertools

import pytest
import torch

from torch_complex_subclass.overlap import overlapping

MEMORY = torch.zeros(6, 8, dtype=torch.complex64)
PARTS = torch.view_as_real(MEMORY)

APART = {
    "rows": (MEMORY[:3], MEMORY[3:]),
    "columns": (MEMORY[:, :3], MEMORY[:, 3:]),
    "columns in turn": (MEMORY[:, ::2], MEMORY[:, 1::2]),
    "one column and the rest": (MEMORY[:, 4], MEMORY[:, 5:]),
    "parts": (PARTS[..., 0], PARTS[..., 1]),
    "part of other columns": (MEMORY[:, :3], PARTS[:, 4:, 1]),
    "other memory": (MEMORY, torch.zeros_like(MEMORY)),
    "no elements": (MEMORY, MEMORY[:0]),
}
MEETING = {
    "itself": (MEMORY, MEMORY),
    "a row": (MEMORY, MEMORY[2]),
    "one common element": (MEMORY[:4, 2], MEMORY[3:, 2]),
    "transposed": (MEMORY[:4, 4:], MEMORY.mT[4:, :4]),
    "column and row": (MEMORY[:, 1], MEMORY[5]),
    "a part": (MEMORY, PARTS[..., 1]),
    "expanded": (MEMORY[2:3].expand(4, 8), MEMORY[:, 7]),
    "steps that meet": (MEMORY[:, ::2], MEMORY[:, ::3]),
}


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_apart(pair):
    assert not list(overlapping(pair))
    assert not list(overlapping(pair[::-1]))


@pytest.mark.parametrize("pair", MEETING.values(), ids=MEETING)
def test_meeting(pair):
    for found in overlapping(pair), overlapping(pair[::-1]):
        assert [sorted(indices) for indices in found] == [[0, 1]]


def test_none_that_meet_are_missed():
    shapes, strides, offsets = [(2, 2), (3, 1), (2, 3)], [(1, 2), (4, 1), (3, 2)], range(6)
    memory = torch.arange(24.0)
    views = [memory.as_strided(*place) for place in itertools.product(shapes, strides, offsets)]
    meeting = {
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(views), 2)
        if torch.isin(a.flatten(), b.flatten()).any()
    }
    found = {tuple(sorted(indices)) for indices in overlapping(views)}
    assert len(meeting) > 100
    assert meeting <= found < set(itertools.combinations(range(len(views)), 2))
