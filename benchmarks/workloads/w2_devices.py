"""Device and compile helpers of W2: which device, how it compiles, and a decorator that does.

They have the names and the behaviour of the helpers of that system, and compile through this
package. One thing is other than there: the CPU compiles too.
"""

from __future__ import annotations

import enum
import functools
import warnings
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, ParamSpec, TypeVar, overload

import torch

from torch_complex_subclass import backend

P = ParamSpec("P")
R = TypeVar("R")


class CompileMode(enum.StrEnum):
    """Modes of `torch.compile` that the helpers know."""

    DEFAULT = "default"
    REDUCE_OVERHEAD = "reduce-overhead"
    MAX_AUTOTUNE = "max-autotune"


_UNSET = object()
_chosen: Any = _UNSET


def get_device() -> torch.device:
    """The current GPU where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def get_compile_mode(auto_detect: bool = False) -> CompileMode | None:
    """The mode in force: the one that was set, else the one for the device; None: eager.

    By compute capability 9.0 and up compile with max-autotune, 8.0 and up with reduce-overhead,
    older GPUs and the CPU with default. `auto_detect` asks for that whatever was set.
    """
    if _chosen is not _UNSET and not auto_detect:
        return _chosen  # type: ignore[no-any-return]
    device = get_device()
    major = torch.cuda.get_device_capability(device)[0] if device.type == "cuda" else 0
    if major >= 9:
        return CompileMode.MAX_AUTOTUNE
    return CompileMode.REDUCE_OVERHEAD if major >= 8 else CompileMode.DEFAULT


def set_compile_mode(mode: CompileMode | str | None) -> None:
    """Set the mode of everything that `get_compiled` decorated; None: run eager.

    Raises ValueError for another text than a value of `CompileMode`.
    """
    global _chosen
    if mode is not None and mode not in list(CompileMode):
        known = ", ".join(CompileMode)
        raise ValueError(f"no compile mode {str(mode)!r}; there are: {known}, and None for eager")
    _chosen = None if mode is None else CompileMode(mode)


class Compiled(Generic[P, R]):
    """A function that compiles at its first call, once for each mode it is called in."""

    def __init__(
        self,
        fn: Callable[P, R],
        mode: CompileMode | str | None,
        dynamic: bool | None,
        fullgraph: bool,
        fallback_on_error: bool,
    ) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self._mode = mode
        self._dynamic, self._fullgraph = dynamic, fullgraph
        self._fallback = fallback_on_error
        self._by_mode: dict[str, Callable[P, R]] = {}
        _everything.add(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function in the mode in force."""
        mode = self._mode or get_compile_mode()
        if mode is None:
            return self.fn(*args, **kwargs)
        if mode not in self._by_mode:
            self._by_mode[mode] = torch.compile(
                self.fn,
                fullgraph=self._fullgraph,
                dynamic=self._dynamic,
                backend=backend.inductor_complex,
                mode=mode,
            )
        try:
            return self._by_mode[mode](*args, **kwargs)
        except Exception as error:
            if not self._fallback:
                raise
            result = self.fn(*args, **kwargs)  # where the function itself is wrong, it says so
            name = getattr(self.fn, "__name__", str(self.fn))
            message = f"{name} runs eager, since it did not compile: {error}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
            self._by_mode[mode] = self.fn
            return result

    def forget(self) -> None:
        """Compile anew at the next call."""
        self._by_mode.clear()


_everything: weakref.WeakSet[Compiled[Any, Any]] = weakref.WeakSet()


@overload
def get_compiled(fn: Callable[P, R]) -> Compiled[P, R]: ...


@overload
def get_compiled(
    *,
    mode: CompileMode | str | None = None,
    dynamic: bool | None = None,
    fullgraph: bool = True,
    fallback_on_error: bool = True,
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...


def get_compiled(
    fn: Callable[P, R] | None = None,
    *,
    mode: CompileMode | str | None = None,
    dynamic: bool | None = None,
    fullgraph: bool = True,
    fallback_on_error: bool = True,
) -> Compiled[P, R] | Callable[[Callable[P, R]], Compiled[P, R]]:
    """Compile a function in the mode in force when it is called; a decorator, with or without ().

    Args:
        fn: the function.
        mode: a mode of its own, whatever `set_compile_mode` says.
        dynamic: as for `torch.compile`; None makes sizes dynamic that change between calls.
        fullgraph: refuse graph breaks.
        fallback_on_error: run eager, with a RuntimeWarning, what does not compile; else raise.
    """

    def decorate(fn: Callable[P, R]) -> Compiled[P, R]:
        return Compiled(fn, mode, dynamic, fullgraph, fallback_on_error)

    return decorate if fn is None else decorate(fn)


def autocast_context(
    enabled: bool = True, dtype: torch.dtype = torch.bfloat16
) -> AbstractContextManager[Any]:
    """Automatic mixed precision on the device in use; complex tensors keep their dtype in it."""
    return torch.autocast(device_type=get_device().type, dtype=dtype, enabled=enabled)


def clear_compile_cache() -> None:
    """Forget everything that was compiled in this process."""
    for compiled in _everything:
        compiled.forget()
    torch.compiler.reset()
