"""The table of rules for complex aten ops; see README.md in this folder."""

if __name__ != "torch_complex_subclass.decompositions":
    raise ImportError("import torch_complex_subclass.decompositions, not the folder itself")

from collections.abc import Callable
from typing import Any

import torch
from torch._ops import OpOverload

from torch_complex_subclass.decompositions import (
    arithmetic as arithmetic,
)
from torch_complex_subclass.decompositions import (
    backward as backward,
)
from torch_complex_subclass.decompositions import (
    comparison as comparison,
)
from torch_complex_subclass.decompositions import (
    composite as composite,
)
from torch_complex_subclass.decompositions import (
    creation as creation,
)
from torch_complex_subclass.decompositions import (
    exponential as exponential,
)
from torch_complex_subclass.decompositions import (
    factorisation as factorisation,
)
from torch_complex_subclass.decompositions import (
    fft as fft,
)
from torch_complex_subclass.decompositions import (
    foreach as foreach,
)
from torch_complex_subclass.decompositions import (
    hyperbolic as hyperbolic,
)
from torch_complex_subclass.decompositions import (
    indexing as indexing,
)
from torch_complex_subclass.decompositions import (
    linalg as linalg,
)
from torch_complex_subclass.decompositions import (
    log_sums as log_sums,
)
from torch_complex_subclass.decompositions import (
    logistic as logistic,
)
from torch_complex_subclass.decompositions import (
    memory as memory,
)
from torch_complex_subclass.decompositions import (
    polar as polar,
)
from torch_complex_subclass.decompositions import (
    power as power,
)
from torch_complex_subclass.decompositions import (
    random as random,
)
from torch_complex_subclass.decompositions import (
    reduction as reduction,
)
from torch_complex_subclass.decompositions import rule_ops
from torch_complex_subclass.decompositions import (
    scan as scan,
)
from torch_complex_subclass.decompositions import (
    shape as shape,
)
from torch_complex_subclass.decompositions import (
    sinc as sinc,
)
from torch_complex_subclass.decompositions import (
    trigonometric as trigonometric,
)
from torch_complex_subclass.decompositions.registry import TABLE as TABLE
from torch_complex_subclass.decompositions.registry import Kind as Kind
from torch_complex_subclass.decompositions.registry import Pair as Pair
from torch_complex_subclass.decompositions.registry import Rule as Rule
from torch_complex_subclass.torch_compat import is_composite

# Rules that compute; the others move elements, which a tracer keeps as it finds them.
_ARITHMETIC = (
    Kind.UNARY,
    Kind.ELEMENTWISE,
    Kind.BILINEAR,
    Kind.REDUCTION,
    Kind.COMPOSITE,
)
_MOVEMENT = (Kind.COMPONENTWISE, Kind.CREATION)


def table() -> dict[OpOverload, Callable[..., Any]]:
    """Return the arithmetic rules as a decomposition table on plain complex tensors.

    For `make_fx(decomposition_table=...)`: each op becomes real arithmetic on the parts of its
    operands, in ops of aten alone. Views stay views of complex memory, as a program that writes
    through them needs.
    """
    from torch_complex_subclass.export import decomposition

    rules = {op: decomposition(rule) for op, rule in TABLE.items() if rule.kind in _ARITHMETIC}
    return rules | rule_ops.in_aten()


def export_table() -> dict[Any, Callable[..., Any]]:
    """Return `torch.export.default_decompositions()` with the rules for complex values.

    For `ExportedProgram.run_decompositions(...)`, whose programs are functional: all that is left
    of complex dtype are inputs and outputs, and what calls that have no rule take and return.
    """
    from torch_complex_subclass.export import decomposition

    core: dict[Any, Callable[..., Any]] = dict(torch.export.default_decompositions())
    for op, rule in TABLE.items():
        # Composite ops are decomposed where autograd is, before rules apply.
        if rule.kind in (*_ARITHMETIC, *_MOVEMENT) and not is_composite(op):
            core[op] = decomposition(rule, **({"otherwise": core[op]} if op in core else {}))
    return core | rule_ops.in_aten()
