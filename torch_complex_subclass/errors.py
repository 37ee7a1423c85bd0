"""Exception types and the texts they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch


class DuplicateRuleError(ValueError):
    """An overload was given a second rule; the message names the first."""


class UnsupportedOperationError(NotImplementedError):
    """An op has no meaning for, or no rule and no kernel on, a complex subclass."""


MSG_UNSUPPORTED = """{op} is not supported on ComplexTensor: {reason}.
  arguments: {arguments}
  {advice}"""

ADVICE_NATIVE = (
    "Convert with z.to_complex(), call the op on the plain complex tensor, and wrap the result "
    "with ComplexTensor.from_complex(...)."
)
ADVICE_ORDER = "Apply it to z.abs(), z.real or z.imag instead."


def describe(args: Iterable[Any]) -> str:
    """Dtypes and shapes of tensors, and the values of everything else."""
    return ", ".join(_describe_one(a) for a in args)


def _describe_one(arg: Any) -> str:
    if isinstance(arg, torch.Tensor):
        from torch_complex_subclass.bfloat16_parts import dtype_of

        return f"{str(dtype_of(arg)).rpartition('.')[2]}{list(arg.shape)}"
    if isinstance(arg, list | tuple):
        return f"[{describe(arg)}]"
    return repr(arg)


def unsupported(
    op: object, reason: str, args: Iterable[Any], *, advice: str = ADVICE_NATIVE
) -> UnsupportedOperationError:
    """Return the error for `op` refused on these arguments."""
    text = MSG_UNSUPPORTED.format(op=op, reason=reason, arguments=describe(args), advice=advice)
    return UnsupportedOperationError(text)
