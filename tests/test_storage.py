"""Where the parts lie, and the views of both."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor, storage
from torch_complex_subclass.testing.eager import random


def interleaved(shape):
    return torch.view_as_real(random(shape, torch.complex64)).unbind(-1)


def planar(shape):
    return random((2, *shape), torch.float32).unbind(0)


def apart(shape):
    return random(shape, torch.float32), random(shape, torch.float32)


@pytest.mark.parametrize(
    ("make", "want"), [(interleaved, 1), (planar, 12), (apart, None)], ids=lambda v: str(v)[:20]
)
def test_offset(make, want):
    re, im = make((3, 4))
    assert storage.offset(re, im) == want
    assert storage.offset(re.t(), im.t()) == want


def test_offset_needs_equal_strides_and_order():
    re, im = planar((3, 3))
    assert storage.offset(re, im.t()) is None
    assert storage.offset(im, re) is None
    assert storage.offset(re, re) is None


@pytest.mark.parametrize("make", [interleaved, planar, apart])
@pytest.mark.parametrize("index", [(), (slice(None, None, 2),), (0,)], ids=str)
def test_block_has_the_values(make, index):
    re, im = (part[index] for part in make((3, 4)))
    block = storage.block_of(re, im)
    assert torch.equal(block, torch.stack([re, im], -1))
    assert (block.data_ptr() == re.data_ptr()) == (make is not apart)


def test_new_block_keeps_the_order_of_dimensions():
    re, im = (part.permute(2, 0, 1) for part in apart((2, 3, 4)))
    block = storage.new_block(re, im)
    assert torch.equal(block, torch.stack([re, im], -1))
    assert block.stride() == (2, 24, 8, 1)


def test_block_of_nothing_is_contiguous():
    re, im = (part.transpose(1, 2) for part in planar((5, 5, 0)))
    assert storage.block_of(re, im).stride() == torch.empty(5, 0, 5, 2).stride()


@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (1,), (3, 1)], ids=str)
@pytest.mark.parametrize("make", [interleaved, planar, apart])
def test_strides_allow_the_same_views(make, shape):
    z = ComplexTensor._wrap(*make(shape))
    assert z.is_contiguous()
    assert z.view(-1).shape == (z.numel(),)


def test_strides_of_interleaved_memory_are_in_complex_elements():
    plain = random((3, 4), torch.complex64)[:, 1::2]
    re, _ = torch.view_as_real(plain).unbind(-1)
    assert storage.complex_strides(re) == plain.stride()
    assert storage.step(re) == 2
    assert storage.step(planar((3, 4))[0]) == 1


@pytest.mark.parametrize("make", [interleaved, planar, apart])
def test_to_plain(make):
    re, im = make((3, 4))
    plain = storage.to_plain(re, im)
    assert torch.equal(plain, torch.complex(re, im))
    assert (plain.data_ptr() == re.data_ptr()) == (make is interleaved)


def test_to_plain_of_an_odd_offset_copies():
    memory = torch.arange(7.0)[1:].view(3, 2)
    re, im = memory.unbind(-1)
    assert storage.to_plain(re, im).tolist() == [1 + 2j, 3 + 4j, 5 + 6j]


def test_parts_of_a_result_move_together_before_they_are_aliased():
    z = ComplexTensor.from_complex(random((3, 4), torch.complex64))
    product = z * z
    assert storage.offset(product.re, product.im) is None
    view = product[1:]
    assert storage.offset(product.re, product.im) == 1
    product.as_interleaved().zero_()
    assert not view.any()


@pytest.mark.parametrize("computed", [False, True])
def test_as_strided_of_one_element(computed):
    plain = random((6,), torch.complex64)
    z = ComplexTensor.from_complex(plain)
    z = (z * 1)[2] if computed else z[2]
    want = plain[2].as_strided((2,), (1,))
    assert z.storage_offset() == plain[2].storage_offset()
    torch.testing.assert_close(z.as_strided((2,), (1,)).to_complex(), want)
