"""Running sums of vectors that stay in registers.

A long sum is kept in a helper object, whose memory is freed where an exception leaves the loop. GCC
takes the vector instructions of AVX-512 for calls that may throw, and so writes the running sum to
memory, and reads it again, in each step. The body of such a loop says here that nothing in it
throws, unless it checks an index.

Applies to vector code of graphs with complex values, where every load has such an instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch._inductor.codegen import cpp as stock_cpp
from torch._inductor.codegen.common import BracesBuffer
from torch._inductor.virtualized import V

from torch_complex_subclass.inductor_lowering import interleaved

# Inductor's module is edited and read past what it exports.
cpp: Any = stock_cpp

_MAY_THROW = ("CHECK", "ASSERT", "ERROR", "throw", "aoti_", "at::native")


def may_throw(code: str) -> bool:
    """Whether C++ code says that it checks something, throws, or calls a library."""
    return any(word in code for word in _MAY_THROW)


def _sums_without_throwing(kernel: Any, body: str) -> bool:
    return (
        type(kernel) is cpp.CppVecKernel
        and interleaved.has_complex_values(V.graph)
        and "_helper" in body
        and not may_throw(body)
    )


def _gen_body(stock: Callable[..., Any]) -> Callable[..., Any]:
    def gen_body(self: Any, code: Any = None) -> Any:
        body = stock(self, code)
        if not _sums_without_throwing(self, body.getrawvalue()):
            return body
        wrapped = BracesBuffer()
        wrapped.writeline("[&]() noexcept")
        with wrapped.indent():
            wrapped.splice(body)
        wrapped.writeline("();")
        return wrapped

    return gen_body


def replacements() -> list[tuple[Any, str, Any]]:
    """Object, attribute and new value of every edit."""
    return [(cpp.CppKernel, "gen_body", _gen_body(cpp.CppKernel.gen_body))]
