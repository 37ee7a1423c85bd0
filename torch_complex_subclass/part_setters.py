"""Lets Dynamo trace `z.real = x` and `z.imag = x`.

In eager each writes to the view that reading the attribute gives. Dynamo traces the reading and the
writing, but not the attribute's setter; one that did would make this file unnecessary.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torch_complex_subclass import torch_compat as compat

_PARTS = ("real", "imag")


def traced(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return Dynamo's method `stock`, which traces `setattr`, with the setters of both parts."""

    @functools.wraps(stock)
    def trace(self: Any, tx: Any, obj: Any, name: Any, value: Any) -> Any:
        if not compat.is_traced_tensor(obj) or name.as_python_constant() not in _PARTS:
            return stock(self, tx, obj, name, value)
        part = obj.var_getattr(tx, name.as_python_constant())
        write = "copy_" if compat.is_traced_tensor(value) else "fill_"
        return part.call_method(tx, write, [value], {})

    return trace
