"""How to avoid the library's complex kernel where it is kept, or why not to.

Each hint with a rewrite in it is run by `tests/test_explain_hints.py`, which compares the rewrite
with the op that it stands for and checks that no such call is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from torch_complex_subclass import data_sized

_TRANSFORM = (
    "Nothing to avoid: the transform runs at the library's speed and what is around it fuses. "
    "Transform several axes in one call (fft2, fftn), and real signals by rfft, which does half "
    "of the work."
)
_PRODUCT = (
    "Nothing to avoid: the library's complex product is as fast as the machine allows, and what is "
    "added to it fuses."
)
_FACTORISATION = (
    "Factor once, outside the loop, and reuse the factors (torch.linalg.lu_factor with lu_solve, "
    "torch.linalg.cholesky with torch.cholesky_solve)."
)
_SMALL_SYSTEM = (
    "For 2 x 2 matrices write the formula out: (d * b0 - b * b1) / (a * d - b * c) fuses. "
    "Otherwise factor once and reuse the factors (torch.linalg.lu_factor with lu_solve)."
)
_SMALL_DETERMINANT = (
    "For 2 x 2 and 3 x 3 matrices write the formula out, m[..., 0, 0] * m[..., 1, 1] - "
    "m[..., 0, 1] * m[..., 1, 0]: it fuses."
)
_SPECTRUM = (
    "If the matrix is Hermitian, torch.linalg.eigh is faster and has a gradient without a phase."
)
_SINGULAR = (
    "If only a norm is wanted, torch.linalg.vector_norm(z, dim=(-2, -1)) is the Frobenius norm and "
    "fuses."
)
_INVERSE = (
    "torch.linalg.solve(a, b) instead of torch.linalg.inv(a) @ b is one call less and loses fewer "
    "digits."
)
_EXPONENTIAL = (
    "For a Hermitian generator h that does not change, w, v = torch.linalg.eigh(h) once outside; "
    "then (v * torch.exp(1j * w)) @ v.mH is exp(i h), and the exponential fuses."
)
_FILL = (
    "If eager's numbers for a seed do not matter, torch.complex(torch.randn(n), torch.randn(n)) * "
    "0.5**0.5 is drawn inside the kernel that uses it."
)
_PRODUCT_OF_ALL = (
    "Up to 8 factors along the last dimension and 16 along others are written out: multiply in "
    "stages, z.unflatten(-1, (16, -1)).prod(-2).prod(-1)."
)
_RUNNING_PRODUCT = (
    "torch.polar(z.abs().cumprod(d), z.angle().cumsum(d)) takes real scans, and what is around "
    "them fuses."
)
_RUNNING_LOG_SUM = (
    "Where exponentials cannot overflow, torch.log(torch.exp(z).cumsum(d)) takes real scans, and "
    "what is around them fuses; its imaginary part is the principal one."
)
_DATA_SIZE = (
    "Keep the shape: torch.where(mask, z, 0) or z * mask fuse, and so does z[mask] with one mask."
)
_SPARSE = "Multiply parts by real sparse matrices, or keep the matrix dense if it is small."
_REAL_WRITE = "Write the part that is meant: x.copy_(z.real), or z.abs()."
_RESIZE = "Allocate the size that is needed at the end, or pad: torch.nn.functional.pad(z, (0, n))."
_SCATTERED_PRODUCT = "Sums have a rule (scatter_add); products of elements that collide have none."

_BY_OP = {
    "aten._fft_c2c.default": _TRANSFORM,
    "aten._fft_c2r.default": _TRANSFORM,
    "aten._fft_r2c.default": _TRANSFORM,
    "aten._linalg_det.default": _SMALL_DETERMINANT,
    "aten._linalg_solve_ex.default": _SMALL_SYSTEM,
    "aten._linalg_svd.default": _SINGULAR,
    "aten.addmm.default": _PRODUCT,
    "aten.baddbmm.default": _PRODUCT,
    "aten.bmm.default": _PRODUCT,
    "aten.cumprod.default": _RUNNING_PRODUCT,
    "aten.linalg_eig.default": _SPECTRUM,
    "aten.linalg_eigvals.default": _SPECTRUM,
    "aten._linalg_eigvals.default": _SPECTRUM,
    "aten.linalg_inv_ex.default": _INVERSE,
    "aten.linalg_matrix_exp.default": _EXPONENTIAL,
    "aten.logcumsumexp.default": _RUNNING_LOG_SUM,
    "aten.mm.default": _PRODUCT,
    "aten.prod.default": _PRODUCT_OF_ALL,
    "aten.prod.dim_int": _PRODUCT_OF_ALL,
    "aten.randn.default": _FILL,
    "aten.resize.default": _RESIZE,
    "aten.scatter.reduce": _SCATTERED_PRODUCT,
    "aten.scatter.value_reduce": _SCATTERED_PRODUCT,
    "aten.scatter_reduce.two": _SCATTERED_PRODUCT,
}

_BY_REASON = {
    "a factorisation of the linear algebra library": _FACTORISATION,
    "a solver of the linear algebra library": _FACTORISATION,
    "it discards an imaginary part": _REAL_WRITE,
    "sparse memory has a layout of its own": _SPARSE,
    data_sized.REASON: _DATA_SIZE,
}

_NO_RULE = (
    "The result is right. To have it fused, write it with ops that are, which python -m "
    "torch_complex_subclass ops lists, or add a rule (decompositions/README.md)."
)
_BROKEN_RULE = (
    "The result is right, and this is a defect of torch_complex_subclass: please report it with "
    "this line."
)


def hint(op: str, how: str, reason: str) -> str:
    """Say what to do about an op that was not fused; empty for one that was, or without advice."""
    if how == "fused":
        return ""
    if reason.startswith("the rule raised"):
        return _BROKEN_RULE
    if reason == data_sized.REASON:
        return _DATA_SIZE
    found = _BY_OP.get(op) or _BY_REASON.get(reason, "")
    return found or (_NO_RULE if reason == "no rule" else "")


def ops_with_hints() -> Iterable[str]:
    """Names of the ops that have a hint of their own."""
    return _BY_OP.keys()


def reasons_with_hints() -> Iterable[str]:
    """The reasons that have a hint, whatever the op."""
    return _BY_REASON.keys()
