"""Random tensors: the same seed gives the numbers of eager, on the subclass and compiled."""

import pytest
import torch

from torch_complex_subclass import ComplexTensor, enabled

DTYPES = [torch.complex64, torch.complex128]
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)

LIKE = {
    "normal_": lambda z: z.clone().normal_(),
    "rand_like": torch.rand_like,
    "randn_like": torch.randn_like,
    "uniform_": lambda z: z.clone().uniform_(),
}


def seeded(fn, *args):
    torch.manual_seed(3)
    return fn(*args)


@pytest.mark.parametrize("name", LIKE)
@each_dtype
def test_on_the_subclass(name, dtype):
    z = torch.zeros(3, 4, dtype=dtype)
    got = seeded(LIKE[name], ComplexTensor.from_complex(z))
    assert isinstance(got, ComplexTensor)
    assert torch.equal(got.to_complex(), seeded(LIKE[name], z))


@pytest.mark.parametrize("fn", [torch.randn, torch.rand], ids=["randn", "rand"])
@each_dtype
def test_compiled(fn, dtype):
    def draw():
        return fn(3, 4, dtype=dtype) * 2

    with enabled():
        got = seeded(torch.compile(draw, fullgraph=True))
    torch.testing.assert_close(got, seeded(draw))
