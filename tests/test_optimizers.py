"""Steps of torch's optimizers on complex parameters, compiled, in their loop and list forms."""

import pytest
import torch

from torch_complex_subclass import report
from torch_complex_subclass.testing.interpret import interpreted

OPTIMIZERS = {
    "ASGD": torch.optim.ASGD,
    "Adadelta": torch.optim.Adadelta,
    "Adagrad": torch.optim.Adagrad,
    "Adam": torch.optim.Adam,
    "AdamW": lambda p, **k: torch.optim.AdamW(p, amsgrad=True, **k),
    "Adamax": torch.optim.Adamax,
    "NAdam": torch.optim.NAdam,
    "RAdam": torch.optim.RAdam,
    "RMSprop": torch.optim.RMSprop,
    "Rprop": torch.optim.Rprop,
    "SGD": lambda p, **k: torch.optim.SGD(p, momentum=0.9, **k),
}


def kept(reports):
    return {e.op for found in reports for e in found.entries if e.how != "fused"}


@pytest.mark.parametrize("foreach", [False, True], ids=["loop", "lists"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_step(name, foreach):
    start = [torch.randn(4, 3, dtype=torch.complex64) for _ in range(2)]
    sets = [[torch.nn.Parameter(t.clone()) for t in start] for _ in range(2)]
    plain, compiled = (OPTIMIZERS[name](p, lr=0.01, foreach=foreach) for p in sets)
    step = torch.compile(compiled.step, backend=interpreted)
    for _ in range(2):
        for pair in zip(*sets, strict=True):
            gradient = torch.randn(4, 3, dtype=torch.complex64)
            for parameter in pair:
                parameter.grad = gradient.clone()
        plain.step()
        with report.collected() as reports:
            step()
        assert not kept(reports)
    torch.testing.assert_close(sets[1], sets[0])


def test_clipping_of_gradients():
    def clip(gradients):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        norm = torch.nn.utils.clip_grad_norm_(parameters, 0.5)
        return norm, [p.grad for p in parameters]

    gradients = [torch.randn(4, 3, dtype=torch.complex64) for _ in range(2)]
    parameters = [torch.nn.Parameter(g.clone()) for g in gradients]
    want = clip([g.clone() for g in gradients])
    with report.collected() as reports:
        got = torch.compile(clip, backend=interpreted)([g.clone() for g in gradients])
    torch.testing.assert_close(got, want)
    assert reports
    assert not kept(reports)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "SGD", "Adagrad"])
def test_fused_forms_are_refused_as_in_eager(name):
    parameter = torch.nn.Parameter(torch.randn(3, dtype=torch.complex64))
    parameter.grad = torch.randn_like(parameter)
    optimizer = getattr(torch.optim, name)([parameter], lr=0.01, fused=True)
    with pytest.raises(RuntimeError, match="to be floating point Tensors"):
        optimizer.step()
