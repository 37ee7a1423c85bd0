"""C++ kernels of a graph are compiled by as few calls of the compiler as keep all cores busy.

Inductor compiles each kernel by itself. Much of a call's time is not the kernel's: to read the
translated header and to instantiate the templates that it leaves open takes 0.4 s, and a whole call
for a short kernel 0.9. So the kernels are dealt to as many sources as Inductor runs compilers at a
time. In a source each has a namespace and a module of its own, with Inductor's own bindings.
"""

from __future__ import annotations

import functools
import logging
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch._inductor import async_compile
from torch._inductor.async_compile import AsyncCompile, get_compile_threads
from torch._inductor.codecache import CppPythonBindingsCodeCache, LambdaFuture
from torch._inductor.exc import CppCompileError

log = logging.getLogger(__name__)

_INCLUDE = re.compile(r"^[ \t]*#include .*$", re.MULTILINE)

# What stands outside of functions in kernels that are made of templates, such as GEMMs.
_MORE_THAN_LOOPS = re.compile(r"^\s*(#define|template|namespace|using|struct|static)", re.MULTILINE)

_ATTRIBUTE = "torch_complex_subclass_batch"
"""Of an object that Inductor makes for each module it generates."""

_LONGEST = 500_000
"""Characters of a source; other processes that need it wait for it, up to ten minutes."""


@dataclass(frozen=True, eq=False)
class _Kernel:
    argtypes: Sequence[str]
    source: str

    def alone(self) -> Any:
        """Compile it by itself."""
        return CppPythonBindingsCodeCache.load_pybinding_async(
            self.argtypes, self.source, submit_fn=_submit()
        )

    def as_number(self, number: int) -> str:
        """C++ source of the kernel and its module, both called `kernel_<number>`."""
        entry, name = CppPythonBindingsCodeCache.entry_function, _name(number)
        return f"""
namespace {name}_ {{
#define {entry} {name}
{self._with_bindings(name)}
#undef {entry}
}}
"""

    def _with_bindings(self, module: str) -> str:
        """What Inductor would compile, with another name of the module."""
        sources: list[str] = []

        def keep(main_code: str, *_: Any, **__: Any) -> None:
            sources.append(main_code)

        bindings = {"entry_function": module, "load_async": staticmethod(keep)}
        _cache("_Bindings", **bindings).load_pybinding_async(self.argtypes, self.source)
        return sources[0]


def _cache(name: str, **attributes: Any) -> Any:
    return type(name, (CppPythonBindingsCodeCache,), attributes)


def _submit() -> Callable[..., Any] | None:
    """What runs compilers beside this thread; None where Inductor has none."""
    return AsyncCompile.submit if get_compile_threads() > 1 else None


def _name(number: int) -> str:
    return f"kernel_{number}"


def joined(kernels: Sequence[_Kernel]) -> str:
    """One C++ source of several kernels."""
    bodies = "".join(kernel.as_number(n) for n, kernel in enumerate(kernels))
    includes = dict.fromkeys(line.strip() for line in _INCLUDE.findall(bodies))
    return "\n".join(["#define PY_SSIZE_T_CLEAN", *includes, _INCLUDE.sub("", bodies)])


def _compiled(kernels: Sequence[_Kernel]) -> Callable[[], list[Any]]:
    """Begin to compile one source; what is returned waits for it and gives the functions."""
    # The binary is found by its file; another cache would have to be cleared too.
    library = _cache("_Library", cache={}, _load_library=staticmethod(_modules(len(kernels))))
    functions: Callable[[], list[Any]] = library.load_async(joined(kernels), submit_fn=_submit())
    return functions


def _modules(count: int) -> Callable[[str, str], list[Any]]:
    """What loads a binary: each kernel is a module of its own in it."""

    def load(path: str, key: str) -> list[Any]:
        names = map(_name, range(count))
        return [
            getattr(_cache(name, entry_function=name)._load_library(path, key), name)
            for name in names
        ]

    return load


class _Batch:
    """Kernels that are compiled together, when the first of them is asked for at the latest."""

    def __init__(self) -> None:
        self._kernels: list[_Kernel] = []
        self._functions: dict[_Kernel, Callable[[], Any]] = {}

    def add(self, kernel: _Kernel) -> Callable[[], Any]:
        """Return what gives the kernel as a function."""
        self._kernels.append(kernel)

        def function() -> Any:
            self.begin()
            return self._functions[kernel]()

        return function

    def begin(self) -> None:
        """Begin to compile all that have been added since."""
        kernels, self._kernels = self._kernels, []
        for share in dealt(kernels, get_compile_threads()):
            if len(share) == 1:
                self._functions[share[0]] = share[0].alone()
            else:
                self._begin_together(share)

    def _begin_together(self, kernels: Sequence[_Kernel]) -> None:
        wait = _compiled(kernels)
        found: list[Any] = []

        def functions() -> list[Any]:
            if not found:
                try:
                    found.extend(wait())
                except CppCompileError as error:
                    log.warning("%d kernels are compiled one by one: %s", len(kernels), error)
                    begun = [kernel.alone() for kernel in kernels]
                    found.extend([one() for one in begun])
            return found

        for n, kernel in enumerate(kernels):
            self._functions[kernel] = functools.partial(lambda n: functions()[n], n)


def dealt(kernels: Sequence[_Kernel], compilers: int) -> list[list[_Kernel]]:
    """Deal kernels to a share for each compiler, the longest first, each to that with the least.

    There are more shares where one would be longer than `_LONGEST`.
    """
    characters = sum(len(kernel.source) for kernel in kernels)
    shares = min(len(kernels), max(1, compilers, math.ceil(characters / _LONGEST)))
    found: list[list[_Kernel]] = [[] for _ in range(shares)]
    for kernel in sorted(kernels, key=lambda kernel: -len(kernel.source)):
        min(found, key=lambda share: sum(len(k.source) for k in share)).append(kernel)
    return found


def _batch_of(compiler: Any) -> _Batch:
    if not hasattr(compiler, _ATTRIBUTE):
        setattr(compiler, _ATTRIBUTE, _Batch())
    batch: _Batch = getattr(compiler, _ATTRIBUTE)
    return batch


def replacements() -> list[tuple[Any, str, Any]]:
    """What takes the place of Inductor's: an owner, a name and a value each."""
    stock, stock_wait = AsyncCompile.cpp_pybinding, AsyncCompile.wait

    def cpp_pybinding(self: AsyncCompile, argtypes: list[str], source_code: str) -> Any:
        if _MORE_THAN_LOOPS.search(source_code):
            return stock(self, argtypes, source_code)
        async_compile.kernel_code_log.info("CPP+Bindings Kernel:\n%s", source_code)
        return LambdaFuture(_batch_of(self).add(_Kernel(argtypes, source_code)))

    def wait(self: AsyncCompile, scope: dict[str, Any]) -> None:
        _batch_of(self).begin()
        if get_compile_threads() <= 1:  # Inductor expects no futures then
            scope.update({k: v.result() for k, v in scope.items() if isinstance(v, LambdaFuture)})
        stock_wait(self, scope)

    return [(AsyncCompile, "cpp_pybinding", cpp_pybinding), (AsyncCompile, "wait", wait)]
