"""torch.func transforms: on the subclass, and compiled on plain complex tensors."""

import pytest
import torch
from torch import func
from torch._dynamo.exc import Unsupported

from torch_complex_subclass import ComplexTensor
from torch_complex_subclass.testing import opinfo
from torch_complex_subclass.testing.interpret import interpreted

C128 = torch.complex128

FUNCTIONS = {
    "arithmetic": lambda z: z * z.conj() + 2j * z - 1 / (z + 3),
    "exp": lambda z: (z / 4).exp().sin(),
    "matmul": lambda z: z @ z.mT,
    "mixed": lambda z: z * z.real + z.abs(),
    "reduction": lambda z: z.sum(-1) + z.prod(-1),
    "solve": lambda z: torch.linalg.solve(z, z.mT),
}
each = pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS.keys())


def on_parts(f):
    """`f` as a function of real tensors `(..., 2)`, of which jacobians exist."""
    return lambda t: torch.view_as_real(f(torch.view_as_complex(t)))


def loss(f):
    return lambda z: f(z).abs().square().sum()


def real_loss(f):
    return lambda t: loss(f)(torch.view_as_complex(t))


def through(f):
    """`f` on the subclass, from plain to plain."""
    return lambda z: opinfo.unwrap(f(opinfo.wrap(z)))


# Each calls a transform of a function of one complex matrix `z`, for a second matrix `t`.
TRANSFORMS = {
    "grad": lambda f, z, t: func.grad(loss(f))(z),
    "grad_and_value": lambda f, z, t: func.grad_and_value(loss(f))(z),
    "grad_of_grad": lambda f, z, t: func.grad(lambda x: loss(func.grad(loss(f)))(x))(z),
    "jvp": lambda f, z, t: func.jvp(f, (z,), (t,)),
    "jvp_of_grad": lambda f, z, t: func.jvp(func.grad(loss(f)), (z,), (t,)),
    "vjp": lambda f, z, t: func.vjp(f, z)[1](f(t)),
    "vmap": lambda f, z, t: func.vmap(f)(torch.stack([z, t])),
    "vmap_of_grad": lambda f, z, t: func.vmap(func.grad(loss(f)))(torch.stack([z, t])),
}
# The same for functions of real tensors.
JACOBIANS = {
    "hessian": lambda f, z, t: func.hessian(real_loss(f))(torch.view_as_real(z)),
    "jacfwd": lambda f, z, t: func.jacfwd(on_parts(f))(torch.view_as_real(z)),
    "jacrev": lambda f, z, t: func.jacrev(on_parts(f))(torch.view_as_real(z)),
}
ALL = TRANSFORMS | JACOBIANS


def each_transform(transforms):
    return pytest.mark.parametrize("name", transforms)


@pytest.fixture
def matrices():
    return torch.randn(3, 3, dtype=C128), torch.randn(3, 3, dtype=C128)


@each
@each_transform(TRANSFORMS)
def test_of_the_subclass(name, f, matrices):
    got = TRANSFORMS[name](f, *map(ComplexTensor.from_complex, matrices))
    torch.testing.assert_close(opinfo.unwrap(got), TRANSFORMS[name](f, *matrices))


@each
@each_transform(ALL)
def test_through_the_subclass(name, f, matrices):
    got = ALL[name](through(f), *matrices)
    torch.testing.assert_close(got, ALL[name](f, *matrices))


# One function: tracing takes most of the time, and the rules have their own tests.
@each_transform(ALL)
def test_compiled(name, matrices):
    """The transform is inside the compiled function."""
    f = FUNCTIONS["mixed"]
    compiled = torch.compile(lambda z, t: ALL[name](f, z, t), fullgraph=True, backend=interpreted)
    torch.testing.assert_close(compiled(*matrices), ALL[name](f, *matrices))


# Dynamo refuses a compiled function inside a transform, whatever the backend.
@each_transform(ALL)
@pytest.mark.parametrize("backend", ["aot_eager", interpreted])
def test_of_compiled_is_refused(backend, name, matrices):
    compiled = torch.compile(FUNCTIONS["mixed"], fullgraph=True, backend=backend)
    with pytest.raises(Unsupported, match="functorch"):
        ALL[name](compiled, *matrices)


@each_transform(ALL)
def test_of_compiled_runs_in_eager(name, matrices):
    """Without `fullgraph` Dynamo leaves the function as it is."""
    f = FUNCTIONS["mixed"]
    compiled = torch.compile(f, backend=interpreted)
    torch.testing.assert_close(ALL[name](compiled, *matrices), ALL[name](f, *matrices))


@pytest.mark.parametrize("compiled", [False, True])
def test_functional_call(compiled, matrices):
    module = torch.nn.Linear(3, 3, dtype=C128)
    parameters = {k: p.detach() for k, p in module.named_parameters()}
    x, _ = matrices

    def objective(values, x):
        return func.functional_call(module, values, (x,)).abs().square().sum()

    want = func.grad(objective)(parameters, x)
    if compiled:
        call = torch.compile(func.grad(objective), fullgraph=True, backend=interpreted)
        got = call(parameters, x)
    else:
        got = opinfo.unwrap(func.grad(objective)(*opinfo.wrap((parameters, x))))
    torch.testing.assert_close(got, want)
