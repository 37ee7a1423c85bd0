"""Fills the blanks of a template from the variables that a program has so far."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import torch
from torch import Tensor

_BLANK = re.compile(r"\{(\w+)\}")

_NUMBERS = ("2", "-1", "0.5", "3", "True", "1.5", "(1 + 2j)", "1j", "(-0.5 + 0.25j)", "0")
_COMPLEX_NUMBERS = ("(1 + 2j)", "1j", "(-0.5 + 0.25j)", "(2 + 0j)")
_POWERS = ("2", "3", "-1", "0.5", "0", "1", "-2", "1.5", "(1 + 1j)", "2.0", "4")
_ORDERS = ("2", "1", "float('inf')", "-float('inf')", "0", "3", "0.5")


class NoOperandError(Exception):
    """No variable fits a blank."""


def _can_broadcast(a: Tensor, b: Tensor) -> bool:
    pairs = zip(reversed(a.shape), reversed(b.shape), strict=False)
    return all(m == n or m == 1 or n == 1 for m, n in pairs)


def _is_float(t: Tensor) -> bool:
    return t.is_complex() or t.is_floating_point()


class Scope:
    """The variables of a program and their values in eager; chooses operands at random."""

    def __init__(self, draw: random.Random, values: dict[str, Tensor]) -> None:
        self.draw = draw
        self.values = values
        self.subject = ""
        self.chosen_dim = 0
        self.chosen_slice = "..."

    def fill(self, template: str) -> str:
        """Return source; raises NoOperandError when a blank cannot be filled."""
        self.subject = ""
        # Blanks that stand for one variable throughout the line.
        once: dict[str, str] = {}

        def blank(match: re.Match[str]) -> str:
            name = match[1]
            if name in ("v", "z", "x", "i", "square", "bmm", "mat", "rows"):
                if name not in once:
                    once[name] = self._blank(name)
                return once[name]
            return self._blank(name)

        return _BLANK.sub(blank, template)

    def _blank(self, name: str) -> str:
        try:
            filler = _FILLERS[name]
        except KeyError:
            raise ValueError(f"no blank {name!r}; there are: {', '.join(_FILLERS)}") from None
        return filler(self)

    def variable(self, fits: Callable[[Tensor], bool]) -> str:
        """Choose a variable, more often a late one."""
        names = [name for name, t in self.values.items() if fits(t)]
        if not names:
            raise NoOperandError
        return names[max(self.draw.randrange(len(names)) for _ in range(2))]

    def first(self, fits: Callable[[Tensor], bool]) -> str:
        """Choose a variable, and make it the line's subject if there is none yet."""
        name = self.variable(fits)
        self.subject = self.subject or name
        return name

    @property
    def of(self) -> Tensor:
        """Value of the line's subject."""
        if not self.subject:
            raise NoOperandError
        return self.values[self.subject]

    def beside(self, fits: Callable[[Tensor], bool]) -> str:
        """Choose a variable that broadcasts with the subject."""
        return self.variable(lambda t: fits(t) and _can_broadcast(t, self.of))

    def same(self, dtype: torch.dtype) -> str:
        """Choose a variable of the subject's shape; the dtype is made so."""
        name = self.variable(lambda t: _is_float(t) and t.shape == self.of.shape)
        t = self.values[name]
        if t.dtype == dtype:
            return name
        return f"{name}.to({self.subject}.dtype)" if dtype.is_complex else f"{name}.abs()"

    def dim(self) -> str:
        """Choose a dimension of the subject."""
        n = self.of.dim()
        if n == 0:
            raise NoOperandError
        self.chosen_dim = self.draw.randrange(n)
        return str(self.chosen_dim - self.draw.choice((0, n)))

    def dims(self) -> str:
        """Choose several dimensions."""
        n = self.of.dim()
        if n == 0:
            raise NoOperandError
        return str(tuple(self.draw.sample(range(n), self.draw.randint(1, n))))

    def slice(self) -> str:
        """Choose an index expression of integers and slices."""
        options = ("0", ":", "1:", "::2", ":-1", "-1", "...", "None", "-2:", ":1")
        count = self.draw.randint(1, max(1, min(3, self.of.dim())))
        parts = [self.draw.choice(options) for _ in range(count)]
        while parts.count("...") > 1:
            parts.remove("...")
        self.chosen_slice = ", ".join(parts)
        return self.chosen_slice

    def index(self) -> str:
        """An index tensor that suits most sizes, or a list, which Python indexing takes too."""
        return self.draw.choice(
            ("torch.tensor([0, 1, 0])", "[1, 0]", "torch.tensor([[0, -1]])", "torch.tensor(1)")
        )

    def index_of_dim(self) -> str:
        """A vector of indices into the dimension that was chosen last."""
        size = self.of.shape[self.chosen_dim]
        if size == 0:
            raise NoOperandError
        return f"torch.tensor({[self.draw.randrange(size) for _ in range(2)]})"

    def mask(self) -> str:
        """A mask of the subject's shape: a variable, or a condition on the subject."""
        try:
            if self.draw.random() < 0.5:
                return self.beside(lambda t: t.dtype == torch.bool and t.shape == self.of.shape)
        except NoOperandError:
            pass
        return f"({self.subject}.abs() > {self.draw.choice(('0.3', '1.1'))})"

    def mat(self) -> str:
        """A matrix that can be multiplied with the subject from the right."""
        t = self.of
        if t.dim() < 1:
            raise NoOperandError
        inner = t.shape[-1]
        try:
            return self.variable(
                lambda u: u.dtype == t.dtype and u.dim() == 2 and u.shape[0] == inner
            )
        except NoOperandError:
            name = self.variable(
                lambda u: u.dtype == t.dtype and u.dim() == 2 and u.shape[1] == inner
            )
            return f"{name}.{self.draw.choice(('mT', 'mH', 't()'))}"


def _any_of(*texts: str) -> Callable[[Scope], str]:
    return lambda s: s.draw.choice(texts)


def _rows(s: Scope) -> str:
    return str(s.of.shape[-1])


def _perm(s: Scope) -> str:
    dims = list(range(s.of.dim()))
    s.draw.shuffle(dims)
    return str(tuple(dims))


def _repeats(s: Scope) -> str:
    return str(tuple(s.draw.choice((1, 1, 2)) for _ in range(s.of.dim() + s.draw.randint(0, 1))))


_FILLERS: dict[str, Callable[[Scope], str]] = {
    "v": lambda s: s.first(_is_float),
    "z": lambda s: s.first(Tensor.is_complex),
    "x": lambda s: s.first(Tensor.is_floating_point),
    "i": lambda s: s.first(lambda t: t.dtype == torch.int64),
    "s": lambda s: s.variable(lambda t: t.dim() == 0 and _is_float(t)),
    "square": lambda s: s.first(
        lambda t: t.is_complex() and t.dim() >= 2 and t.shape[-1] == t.shape[-2]
    ),
    "bmm": lambda s: s.first(lambda t: t.is_complex() and t.dim() == 3),
    "w": lambda s: s.beside(_is_float),
    "zw": lambda s: s.beside(Tensor.is_complex),
    "xw": lambda s: s.beside(Tensor.is_floating_point),
    "same": lambda s: s.same(s.of.dtype),
    "samex": lambda s: s.same(s.of.dtype),
    "mat": Scope.mat,
    "rows": _rows,
    "dim": Scope.dim,
    "dims": Scope.dims,
    "lastdim": lambda s: str(s.chosen_dim),
    "newdim": lambda s: str(s.draw.randint(-s.of.dim() - 1, s.of.dim())),
    "perm": _perm,
    "repeats": _repeats,
    "slice": Scope.slice,
    "again": lambda s: s.chosen_slice,
    "index": Scope.index,
    "indexdim": Scope.index_of_dim,
    "mask": Scope.mask,
    "number": _any_of(*_NUMBERS),
    "c": _any_of(*_COMPLEX_NUMBERS),
    "r": _any_of("0.5", "2", "-1.5", "3"),
    "power": _any_of(*_POWERS),
    "ord": _any_of(*_ORDERS),
    "flag": _any_of("True", "False"),
    "zeroone": _any_of("0", "1"),
    "n": _any_of("None", "None", "1", "2", "3", "4", "5"),
    "norm": _any_of("None", '"ortho"', '"forward"', '"backward"'),
    "cdtype": _any_of("c64", "c128"),
    "dtype": _any_of("c64", "c128", "f32", "f64"),
    "part": lambda s: {torch.complex64: "f32", torch.complex128: "f64"}[s.of.dtype],
}
