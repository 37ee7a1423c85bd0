"""Products of a row and a matrix of long rows that loops compute, as of modes and their powers.

In memory, such a matrix is read faster by a library call. But one that is computed would be written
for that call and read again; loops that sum it up as they compute it never store it.
"""

from __future__ import annotations

from torch import fx

from torch_complex_subclass import routes
from torch_complex_subclass.decompositions.linalg import is_row_times_matrix
from torch_complex_subclass.readers import is_computed_by_loops, is_read_by_loops
from torch_complex_subclass.values import owners_of


def products(graph: fx.Graph) -> set[fx.Node]:
    """Products of a row whose matrix is computed, and needed in memory by nothing."""
    found = set()
    is_stored: dict[fx.Node, bool] = {}
    for node in graph.nodes:
        if not routes.is_row_for_library(node) or not is_computed_by_loops(node.args[1]):
            continue
        *_, matrix = owners_of(node.args[1])
        if matrix not in is_stored:
            is_stored[matrix] = not is_read_by_loops(matrix, _is_written)
        if not is_stored[matrix]:
            found.add(node)
    return found


def _is_written(left: fx.Node, right: fx.Node) -> bool:
    is_row = is_row_times_matrix(left.meta["val"], right.meta["val"])
    return is_row or routes.is_elementwise(left, right)
