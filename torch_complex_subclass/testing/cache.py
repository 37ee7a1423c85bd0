"""Numbers kept on disk between runs: a file is complete and of the given key, or it is not used.

The folder is `$TORCH_COMPLEX_SUBCLASS_CACHE`, or else `torch_complex_subclass` in
`$XDG_CACHE_HOME` or `~/.cache`. It can be removed at any time.
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

_DIGEST = hashlib.sha256().digest_size


def folder() -> Path:
    """Folder of the files; it need not exist."""
    own = os.environ.get("TORCH_COMPLEX_SUBCLASS_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "torch_complex_subclass"


def kept(name: str, key: bytes, make: Callable[[], Tensor]) -> Tensor:
    """Return the float64 values kept under a name, made and written where there are none.

    What the values depend on is the key. A file is its digest with the values, then the values:
    a file of another key, or a damaged one, is made again and replaced. So there is one file for
    a name, however often the key changes.
    """
    path = folder() / name
    values = _read(path, key)
    if values is None:
        made = make()
        shape = torch.tensor(made.shape, dtype=torch.float64)
        _write(path, key, torch.cat([shape.new_tensor([made.dim()]), shape, made.flatten()]))
        return made
    dims = int(values[0])
    return values[dims + 1 :].reshape([int(n) for n in values[1 : dims + 1]])


def _read(path: Path, key: bytes) -> Tensor | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(key + payload).digest() != digest:
        return None
    return torch.tensor(array.array("d", payload), dtype=torch.float64)


def _write(path: Path, key: bytes, values: Tensor) -> None:
    """Write under another name and rename, so that a reader beside us never sees half a file."""
    payload = array.array("d", values.tolist()).tobytes()
    with contextlib.suppress(OSError):  # a folder that cannot be written: nothing is kept
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(key + payload).digest() + payload)
            os.replace(scratch, path)
        except BaseException:
            os.unlink(scratch)
            raise
