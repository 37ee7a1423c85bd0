"""Views, joins and other movements of elements against eager."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing.eager import assert_matches, assert_rule_matches, random
from torch_complex_subclass.torch_compat import returns_view

aten = torch.ops.aten

CASES = [
    (aten._conj_copy.default, (2, 3), ()),
    (aten._lazy_clone.default, (2, 3), ()),
    (aten._neg_view_copy.default, (2, 3), ()),
    (aten._reshape_alias.default, (2, 3, 4), ([6, 4], [4, 1])),
    (aten._reshape_copy.default, (2, 3), ([3, 2],)),
    (aten._unsafe_view.default, (2, 3, 4), ([6, 4],)),
    (aten.alias.default, (2, 3), ()),
    (aten.alias_copy.default, (2, 3), ()),
    (aten.channel_shuffle.default, (1, 4, 2, 2), (2,)),
    (aten.constant_pad_nd.default, (2, 3), ([1, 2], 1 - 2j)),
    (aten.constant_pad_nd.default, (2, 3), ([1, 2, 0, 1], 3)),
    (aten.constant_pad_nd.default, (2, 3), ([1, 2],)),
    (aten.detach.default, (2, 3), ()),
    (aten.detach_copy.default, (2, 3), ()),
    (aten.diag_embed.default, (2, 3), (1,)),
    (aten.diagonal.default, (3, 3), ()),
    (aten.diagonal_copy.default, (3, 3), (1,)),
    (aten.expand.default, (2, 1), ([3, 2, 4],)),
    (aten.expand_copy.default, (2, 1), ([2, 4],)),
    (aten.flip.default, (2, 3), ([0, 1],)),
    (aten.lift.default, (2, 3), ()),
    (aten.lift_fresh.default, (2, 3), ()),
    (aten.lift_fresh_copy.default, (2, 3), ()),
    (aten.movedim.int, (2, 3, 4), (0, 2)),
    (aten.movedim.intlist, (2, 3, 4), ([0, 1], [1, 2])),
    (aten.narrow.default, (4, 3), (0, 1, 2)),
    (aten.narrow_copy.default, (4, 3), (0, 1, 2)),
    (aten.permute.default, (2, 3, 4), ([2, 0, 1],)),
    (aten.permute_copy.default, (2, 3, 4), ([2, 0, 1],)),
    (aten.pixel_shuffle.default, (1, 4, 2, 3), (2,)),
    (aten.pixel_unshuffle.default, (1, 1, 4, 4), (2,)),
    (aten.repeat.default, (2, 3), ([2, 1, 2],)),
    (aten.reshape.default, (2, 3), ([3, 2],)),
    (aten.roll.default, (2, 3), ([1], [1])),
    (aten.rot90.default, (2, 3), ()),
    (aten.select.int, (2, 3), (1, -1)),
    (aten.select_copy.int, (2, 3), (0, 1)),
    (aten.slice.Tensor, (5, 3), (0, 1, 5, 2)),
    (aten.slice_copy.Tensor, (5, 3), (0, 1, 5, 2)),
    (aten.split.Tensor, (5, 3), (2,)),
    (aten.split_copy.Tensor, (5, 3), (2,)),
    (aten.split_with_sizes.default, (5, 3), ([2, 3],)),
    (aten.split_with_sizes_copy.default, (5, 3), ([2, 3],)),
    (aten.squeeze.default, (1, 3, 1), ()),
    (aten.squeeze.dim, (1, 3), (0,)),
    (aten.squeeze.dims, (1, 3, 1), ([0, 2],)),
    (aten.squeeze_copy.default, (1, 3), ()),
    (aten.squeeze_copy.dim, (1, 3), (0,)),
    (aten.squeeze_copy.dims, (1, 3, 1), ([0],)),
    (aten.t.default, (2, 3), ()),
    (aten.t_copy.default, (2, 3), ()),
    (aten.transpose.int, (2, 3, 4), (0, 2)),
    (aten.transpose_copy.int, (2, 3, 4), (0, 2)),
    (aten.tril.default, (3, 3), (1,)),
    (aten.triu.default, (3, 3), (-1,)),
    (aten.unbind.int, (2, 3), (1,)),
    (aten.unbind_copy.int, (2, 3), ()),
    (aten.unfold.default, (6,), (0, 3, 2)),
    (aten.unfold_copy.default, (6,), (0, 3, 2)),
    (aten.unsqueeze.default, (2, 3), (1,)),
    (aten.unsqueeze_copy.default, (2, 3), (-1,)),
    (aten.view.default, (2, 6), ([3, -1],)),
    (aten.view_copy.default, (2, 6), ([3, -1],)),
    *((op, (1, 3, 4), ([1, 2],)) for op in (aten.reflection_pad1d.default,)),
    (aten.reflection_pad2d.default, (1, 3, 4), ([1, 2, 0, 1],)),
    (aten.reflection_pad3d.default, (1, 3, 3, 4), ([1, 2, 0, 1, 1, 1],)),
    (aten.replication_pad1d.default, (1, 3, 4), ([1, 2],)),
    (aten.replication_pad2d.default, (1, 3, 4), ([1, 2, 0, 1],)),
    (aten.replication_pad3d.default, (1, 3, 3, 4), ([1, 2, 0, 1, 1, 1],)),
]
# Nothing can be written through an expanded view.
VIEWS = [case for case in CASES if returns_view(case[0]) and case[0] != aten.expand.default]

each_case = pytest.mark.parametrize(("op", "shape", "args"), CASES, ids=lambda v: str(v))


@each_case
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128], ids=str)
def test_moves_elements(op, shape, args, dtype):
    assert_matches(op, random(shape, dtype), *args)


@pytest.mark.parametrize(("op", "shape", "args"), VIEWS, ids=lambda v: str(v))
@pytest.mark.parametrize("apart", [False, True])
def test_view_shares_memory(op, shape, args, apart):
    z = ComplexTensor.from_complex(random(shape, torch.complex64))
    z = z + 0 if apart else z
    view = op(z, *args)
    for part in view if isinstance(view, list | tuple) else [view]:
        part.zero_()
    want = z.to_complex().clone()
    view = op(want, *args)
    for part in view if isinstance(view, list | tuple) else [view]:
        part.zero_()
    torch.testing.assert_close(z.to_complex(), want)
    assert (z == 0).any()


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("other", [torch.complex64, torch.complex128, torch.float64], ids=str)
def test_joins(dim, other):
    z, w = random((2, 3), torch.complex64), random((2, 3), other)
    assert_matches(lambda a, b: aten.cat.default([a, b], dim), z, w)
    assert_matches(lambda a, b: aten.stack.default([a, b], dim), z, z.to(w.to(z.dtype).dtype))


def test_reinterpreting_strides():
    z = random((4, 3), torch.complex64)
    assert_matches(aten.as_strided.default, z, [2, 2], [1, 3], 1)
    assert_matches(lambda t: t[1:].as_strided([2, 2], [3, 1]), z)
    assert_matches(lambda t: t[1:].as_strided([2], [1], 0), z)


BACKWARD = [
    (aten.diagonal_backward.default, (3,), ([3, 3], 0, 0, 1)),
    (aten.index_select_backward.default, (2, 3), ([4, 3], 0, torch.tensor([1, 3]))),
    (aten.select_backward.default, (3,), ([2, 3], 0, 1)),
    (aten.slice_backward.default, (2, 3), ([5, 3], 0, 1, 5, 2)),
    (aten.unfold_backward.default, (2, 3), ([6], 0, 3, 2)),
]


@pytest.mark.parametrize(("op", "shape", "args"), BACKWARD, ids=lambda v: str(v)[:40])
def test_scatters_a_gradient(op, shape, args):
    assert_rule_matches(op, random(shape, torch.complex64), *args)
