"""A failing program as a script of its own."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch_complex_subclass.fuzz.check import COMPILERS, check
from torch_complex_subclass.fuzz.program import Runnable

_SCRIPT = '''"""{title}"""

import torch
import torch.nn.functional as F

from torch_complex_subclass.fuzz.script import reproduce

c64, c128 = torch.complex64, torch.complex128
f32, f64, i64, b = torch.float32, torch.float64, torch.int64, torch.bool


{source}

if __name__ == "__main__":
    raise SystemExit(reproduce(inputs, program, {backend!r}))
'''


@dataclass(frozen=True)
class _Text:
    text: str

    def source(self) -> str:
        return self.text


def as_script(program: Runnable, title: str, backend: str) -> str:
    """Return a script that runs a program in eager and compiled, and says what differs."""
    wrapped = textwrap.fill(title.replace("\\", "/"), 95)
    return _SCRIPT.format(title=wrapped, source=program.source(), backend=backend)


def reproduce(inputs: Callable[..., Any], program: Callable[..., Any], backend: str) -> int:
    """Check the program of a script, print what is wrong, and return the exit status.

    `backend` is "rewritten", "inductor" or "stock"; raises KeyError for another.
    """
    source = "\n\n".join(map(inspect.getsource, (inputs, program)))
    failure = check(_Text(source), COMPILERS[backend])
    print(failure or f"{backend} agrees with eager")
    return int(failure is not None)
