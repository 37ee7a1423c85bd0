"""Settings of the package; `tcs.config` is this module.

Set one by assignment, or for a `with` block or a function with `patch`:

    tcs.config.eager_kernels = True
    with tcs.config.patch(emulate_precision_casts=True):
        ...

A setting holds in all threads. A name that is none of these, and a value of another type than the
default's, are refused.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any

emulate_precision_casts: bool = False
"""Compiled code rounds the result of every op to its dtype, as eager does, also between ops that
are fused. It sets Inductor's setting of that name, which is about bfloat16 and float16 too, for
what is compiled while it is on; functions that were compiled before keep their code."""

eager_kernels: bool = False
"""Elementwise ops on bcomplex32 outside compiled code run as kernels that Inductor compiles, one
for each op, dtypes and rank, when first called. Off, their rules run as separate ops of torch."""

_NAMES = frozenset(__annotations__)


class _Settings(types.ModuleType):
    """A module that checks what is assigned to it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _NAMES:
            known = ", ".join(sorted(_NAMES))
            raise AttributeError(f"tcs.config has no setting {name!r}; the settings are {known}")
        wanted = type(getattr(self, name))
        if type(value) is not wanted:
            raise TypeError(
                f"tcs.config.{name} must be a {wanted.__name__}; got {type(value).__name__}: "
                f"{value!r}"
            )
        super().__setattr__(name, value)


@contextlib.contextmanager
def patch(**settings: bool) -> Iterator[None]:
    """Change settings inside a `with` block, or in calls of a function that this decorates.

    Raises:
        AttributeError: there is no setting of a name.
        TypeError: a value has the wrong type.
    """
    module = sys.modules[__name__]
    before = {name: getattr(module, name) for name in settings if name in _NAMES}
    try:
        for name, value in settings.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


sys.modules[__name__].__class__ = _Settings
