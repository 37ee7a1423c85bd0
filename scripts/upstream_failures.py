"""Writes docs/upstream_failures.md: what fails for the complex subclass inside torch.

Runs torch's op database on `torch._subclasses.complex_tensor.ComplexTensor`: results in complex64
and gradients in complex128, against plain complex tensors. Each check has a process of its own, so
that a crash or an endless loop is one line of the table.
"""

from __future__ import annotations

import os
import re
import signal
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TCS_IMPLEMENTATION"] = "upstream"

import torch
from torch.testing._internal.opinfo.core import OpInfo
from torch.utils import _pytree as pytree

from torch_complex_subclass.progress import progress
from torch_complex_subclass.testing import opinfo

TARGET = Path(__file__).resolve().parents[1] / "docs" / "upstream_failures.md"
SECONDS = 120
LENGTH = 110

# Eager leaves these undefined, or rounding decides them in complex64.
NOT_COMPARED = opinfo.UNDEFINED_VALUES | opinfo.DOUBLE_ONLY


def plain(tree: Any) -> Any:
    return tree


def shapes(tree: Any) -> Any:
    return pytree.tree_map(lambda t: (t.shape, t.dtype) if isinstance(t, torch.Tensor) else t, tree)


def forward(op: OpInfo) -> None:
    """Compare the results of the samples."""
    for sample in opinfo.samples(op, torch.complex64):
        with torch.no_grad():
            want = opinfo.call(op, sample, plain)
            got = opinfo.unwrap(opinfo.call(op, sample, opinfo.wrap))
        if opinfo.full_name(op) in NOT_COMPARED:
            assert shapes(got) == shapes(want), "the shapes or dtypes differ"
        else:
            opinfo.assert_no_further(
                got, want, lambda sample=sample: opinfo.call(op, sample, opinfo.widen)
            )


def gradient(op: OpInfo) -> None:
    """Compare the gradients of the samples' leaves."""
    for sample in opinfo.samples(op, torch.complex128, requires_grad=True):
        want = opinfo.gradients(op, sample, plain)
        got = [opinfo.unwrap(g) for g in opinfo.gradients(op, sample, opinfo.wrap)]
        torch.testing.assert_close(got, want, equal_nan=True)


def shortened(error: BaseException) -> str:
    """One line that is the same in every run: no paths, addresses, measured numbers."""
    lines = str(error).strip().splitlines()
    text = re.sub(r"^Tensor-likes are not close!$", "wrong values", lines[0] if lines else "")
    text = re.sub(r"None mismatch: .*", "None mismatch", text)
    text = re.sub(r" at \"?/\S+?\"?:\d+", "", text)
    text = re.sub(r"\(?\"?/[\w./+-]+\"?\)?", "", text)
    text = re.sub(r"0x[0-9a-f]+", "", text).replace("|", "/").replace("`", "'")
    text = " ".join(f"{type(error).__name__}: {text}".split())
    return text if len(text) <= LENGTH else text[:LENGTH].rstrip() + " ..."


def outcome(check: Callable[[OpInfo], None], op: OpInfo) -> str:
    """Message of a failed check, or an empty one; run in a child process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        message = "ok"
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(SECONDS)
        torch.manual_seed(0)
        try:
            check(op)
        except BaseException as error:  # the child reports whatever ends it
            message = shortened(error)
        os.write(write, message.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        message = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGALRM:
        return f"does not end within {SECONDS} s"
    if code < 0:
        return f"ends the process: {signal.Signals(-code).name}"
    return "" if message == "ok" else message


def rows() -> list[tuple[str, str, str]]:
    """Name, forward message and gradient message of every entry; `-` where there is none."""
    found = []
    for op in progress(list(opinfo.complex_ops(opinfo.GPU_ONLY)), "entries"):
        results = outcome(forward, op)
        gradients = outcome(gradient, op) if op.supports_autograd else "-"
        found.append((opinfo.full_name(op), results, gradients))
    return sorted(found)


def failed(message: str) -> bool:
    return message not in ("", "-")


def word(message: str) -> str:
    return {"": "passes", "-": "-"}.get(message, "fails")


def document(found: list[tuple[str, str, str]]) -> str:
    """The page: counts, and a row for each entry with a failure."""
    differentiable = [row for row in found if row[2] != "-"]
    text = [
        "# What fails for the complex subclass inside torch",
        "",
        f"torch {torch.__version__.split('+')[0]}, CPU; the entries of its op database that take "
        "complex64, on `torch._subclasses.complex_tensor.ComplexTensor`, against plain complex "
        "tensors.",
        "",
        f"- results in complex64: {sum(failed(r[1]) for r in found)} of {len(found)} entries fail",
        f"- gradients in complex128: {sum(failed(r[2]) for r in found)} of "
        f"{len(differentiable)} entries fail",
        "",
        f"An entry fails when one of its first {opinfo.MAX_SAMPLES} samples does. Regenerate with "
        "`python scripts/upstream_failures.py`.",
        "",
        "| op | forward | gradient | message |",
        "|---|---|---|---|",
    ]
    for name, results, gradients in found:
        if failed(results) or failed(gradients):
            message = results if failed(results) else gradients
            text.append(f"| `{name}` | {word(results)} | {word(gradients)} | `{message}` |")
    return "\n".join(text) + "\n"


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    TARGET.write_text(document(rows()))
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
