"""The code that Inductor generates, for tests of what is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import torch_complex_subclass as tcs
from torch_complex_subclass import torch_compat as compat


def generated_code(fn: Callable[..., Any], *args: Any, **options: Any) -> str:
    """Code of a call with these arguments, compiled afresh; `options` are `torch.compile`'s."""
    from torch._inductor.utils import run_and_get_code

    torch._dynamo.reset()
    with tcs.enabled(), compat.without_caches():
        _, code = run_and_get_code(torch.compile(fn, fullgraph=True, **options), *args)
    return "\n".join(code)
