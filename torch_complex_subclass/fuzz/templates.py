"""The ops of random programs, as source with blanks.

`{z}` is a complex variable, `{x}` a real one, `{v}` either, and the first of these in a line is the
line's subject; `{w}`, `{zw}`, `{xw}` broadcast with the subject, `{same}` has its shape and dtype,
`{mat}` can be multiplied with it from the right. Other blanks are in scope.py. A line that eager
refuses for the tensors at hand is dropped, so lines need not say when they apply.
"""

from __future__ import annotations

ARITHMETIC = """
{z} + {w}
{w} - {z}
{z} * {w}
{z} * {w}
{z} / ({w} + 3)
{x} * {zw}
{z} + {number}
{number} - {z}
{z} * {number}
{number} * {x}
{number} / ({z} + 3)
{z} / {number}
{x} / {c}
{i} * {zw}
{i} * {c}
-{z}
{z} ** {power}
({z} + 3) ** {zw}
{number} ** {z}
torch.add({z}, {w}, alpha={number})
torch.sub({z}, {w}, alpha={number})
torch.rsub({z}, {w})
torch.mul({z}, {s})
{s} * {zw} + {w}
torch.addcmul({z}, {w}, {w}, value={number})
torch.addcdiv({z}, {w}, {same} + 3, value={number})
torch.lerp({z}, {same}, {r})
torch.lerp({z}, {same}, {same})
torch.float_power({z}, {power})
torch.ldexp({z}, {i})
torch.where({mask}, {z}, {w})
torch.where({mask}, {z}, {number})
torch.where({mask}, {number}, {z})
torch.where({mask}, {x}, {zw})
torch.complex({x}, {samex})
torch.polar({x}, {samex})
torch.complex({x}.abs(), {samex} * 2).conj()
{x}.to({cdtype})
{z}.to({cdtype})
{v}.to({dtype})
{z}.real * {z}.imag
{z} * {z}.conj()
{z}.conj() * {zw} + {z}
{z} * torch.tensor({c})
torch._foreach_mul([{z}, {same}], {number})[1]
torch._foreach_add([{z}, {same}], [{same}, {z}])[0]
torch.maximum({x}, {samex})
torch.clamp({x}, -1, 1)
"""
FUNCTIONS = """
torch.exp({z})
torch.log({z} + 3)
torch.log({z})
torch.log2({z} + 3j)
torch.log10({z} + 2)
torch.sqrt({z})
torch.rsqrt({z} + 3)
torch.sin({z})
torch.cos({z})
torch.tan({z} / 3)
torch.sinh({z})
torch.cosh({z})
torch.tanh({z})
torch.asin({z} / 4)
torch.acos({z} / 4)
torch.atan({z} / 4)
torch.asinh({z})
torch.acosh({z} + 3)
torch.atanh({z} / 4)
torch.exp2({z})
torch.reciprocal({z} + 3)
torch.square({z})
torch.abs({z})
torch.angle({z})
torch.sgn({z})
torch.conj_physical({z})
torch.positive({z})
{z}.conj().resolve_conj()
torch.isfinite({z})
torch.isreal({z})
torch.isnan({z})
torch.logical_not({z})
torch.eq({z}, {zw})
torch.ne({z}, {number})
torch.isclose({z}, {same})
torch.logical_and({z}, {zw})
torch.nan_to_num({z})
torch.exp({x})
torch.sin({x})
torch.tanh({x})
torch.relu({x})
torch.atan2({x}, {samex})
torch.softmax({x}, {dim})
torch.sigmoid({x})
{x} > {r}
"""
HEAVY = """
torch.sigmoid({z})
F.silu({z})
torch.sinc({z})
torch.expm1({z})
torch.log1p({z})
torch.logaddexp({z}, {same})
torch.linalg.inv({square} + 6 * torch.eye({rows}, dtype={cdtype}))
torch.linalg.det({square})
torch.linalg.solve({square} + 6 * torch.eye({rows}, dtype={cdtype}), {square})
torch.linalg.matrix_power({square}, 3)
torch.linalg.matrix_exp({square} / 4)
torch.linalg.svdvals({square})
torch.linalg.eigvalsh({square} + {square}.mH)
torch.linalg.cholesky({square} @ {square}.mH + 4 * torch.eye({rows}, dtype={cdtype}))
torch.kron({z}, {zw})
torch.cumprod({z}, {dim})
torch.prod({z}, {dim}, keepdim={flag})
torch.prod({z})
torch.logcumsumexp({z}, {dim})
torch.std({z}, {dim})
torch.var_mean({z}, {dim}, keepdim={flag})[{zeroone}]
F.conv1d({z}[:1, :2].reshape(1, 1, -1), {zw}.reshape(1, 1, -1)[..., :2])
torch.stft({z}.flatten()[:8], n_fft=4, return_complex=True, window=torch.ones(4), onesided=False)
"""
VIEWS = """
{v}.transpose({dim}, {dim})
{v}.permute({perm})
{v}.mT
{z}.mH
{z}.conj()
{z}.real
{z}.imag
torch.view_as_real({z})
torch.view_as_real({z}.resolve_conj())
{v}[{slice}]
{v}[{slice}]
{v}.unsqueeze({newdim})
{v}.squeeze()
{v}.squeeze({dim})
{v}.reshape(-1)
{v}.flatten()
{v}.view(-1)
{v}.expand(2, *{v}.shape)
{v}.diagonal(0, {dim}, {dim})
{v}.select({dim}, 0)
{v}.narrow({dim}, 0, 1)
{v}.chunk(2, {dim})[0]
{v}.unbind({dim})[-1]
{v}.tensor_split(2, {dim})[-1]
{v}.unfold({dim}, 2, 1)
{v}.movedim({dim}, {dim})
{z}.as_strided((2, 2), (1, 1))
{z}.as_strided((2,), (2,), {zeroone})
{z}.view({part}) * 2
{z}.view({part}).view({z}.dtype) + 1
torch.view_as_complex({x})
torch.view_as_complex({x}.reshape(-1, 2))
torch.view_as_complex(torch.stack([{x}, {samex}], -1))
{v}.view_as({v})
{z}.adjoint()
torch.atleast_2d({v})
{v}.unflatten({dim}, (1, -1))
{z}.conj().imag
{v}.swapaxes({dim}, {dim}).contiguous()
{v}.detach()
"""
MOVES = """
{v}.flip({dim})
{v}.roll(1, {dim})
{v}.roll((1, -1), ({dim}, {dim}))
{v}.rot90()
{v}.repeat({repeats})
{v}.repeat_interleave(2, {dim})
{v}.tril()
{v}.triu(1)
torch.diag({v})
torch.diag_embed({v})
{v}.clone()
{v}.contiguous()
{v}.clone(memory_format=torch.contiguous_format)
torch.cat([{v}, {same}], {dim})
torch.cat([{z}, {z}.real], {dim})
torch.cat([{v}, {v}.flip({dim})], {dim})
torch.stack([{v}, {same}], {newdim})
torch.stack([{z}, {z}.real.to({z}.dtype)], {newdim})
torch.hstack([{v}, {same}])
torch.block_diag({z}, {zw})
F.pad({v}, (1, 0))
F.pad({v}, (0, 2), value={r})
F.pad({z}, (1, 1, 0, 1))
torch.zeros_like({v})
torch.ones_like({v}) * {zw}
torch.full_like({z}, {number})
torch.full({v}.shape, {c})
{z}.new_zeros(2, 3) + 1j
{v}.new_full((2,), {r})
torch.eye(3, dtype={cdtype})
torch.linspace(0, 1, 3, dtype={cdtype})
torch.tensor([1 + 2j, -1, 0.5j], dtype={cdtype})
torch.arange({v}.numel(), dtype={cdtype})
{z}.sum({dim}) if {z}.shape[0] > 2 else {z} * 2
{z}.mT if {z}.dim() > 2 else {z}.conj()
torch.meshgrid({z}.flatten()[:3], {zw}.flatten()[:2], indexing="ij")[0]
torch.broadcast_tensors({z}, {zw})[1]
torch.take({v}, torch.tensor([0, 0]))
"""
REDUCTIONS = """
{z}.sum()
{z}.sum({dim}, keepdim={flag})
{z}.sum({dims})
{z}.mean()
{z}.mean({dim}, keepdim={flag})
{z}.mean({dims})
{x}.sum({dim})
{z}.var()
{z}.var({dim}, correction={zeroone})
torch.linalg.vector_norm({z}, {ord})
torch.linalg.vector_norm({z}, {ord}, {dim}, keepdim={flag})
torch.linalg.norm({z})
torch.norm({z}, dim={dim})
{z}.cumsum({dim})
{z}.diff(dim={dim})
{z}.trace()
{z}.any({dim})
{z}.all()
torch.count_nonzero({z}, {dim})
torch.sum({z}, {dim}, dtype={cdtype})
{x}.amax({dim})
{z}.abs().sum({dim})
{z}.sum_to_size({z}.shape)
torch.dist({z}, {same})
torch.logsumexp({z}, {dim})
torch.trapezoid({z}, dim={dim})
F.mse_loss({z}.real, {same}.imag)
(({z} - {z}.mean()).abs() ** 2).mean()
"""
PRODUCTS = """
{z} @ {mat}
{z} @ {mat}
torch.matmul({z}, {z}.mH)
{z}.mT @ {z}
{z}.conj() @ {mat}
torch.mv({z}, {mat}[:, 0])
torch.dot({z}.flatten(), {same}.flatten())
torch.vdot({z}.flatten(), {same}.flatten())
torch.dot({z}.flatten().conj(), {same}.flatten().conj())
torch.inner({z}, {same})
torch.outer({z}.flatten()[:4], {zw}.flatten()[:3])
torch.addmm({r} * torch.ones(1, dtype={z}.dtype), {z}, {mat}, beta={number}, alpha={number})
torch.baddbmm({bmm}, {bmm}, {bmm}.mH @ {bmm}, alpha={number})
torch.bmm({bmm}, {bmm}.mT)
torch.bmm({bmm}.conj(), {bmm}.mT)
torch.addmv({z}[:, 0], {z}, {mat}[:, 0], alpha={number})
torch.addr({z}[0], {z}[:, 0], {z}[0])
torch.einsum("...i,...i->...", {z}, {same})
torch.einsum("...ij,...kj->...ik", {z}, {same})
torch.einsum("...ij->...ji", {z})
torch.einsum("ij,jk,lk->il", {z}, {mat}, {mat})
torch.einsum("bij,bkj->bik", {bmm}, {bmm}.conj())
torch.einsum("i,j->ij", {z}, {z}.conj())
torch.tensordot({z}, {same}, {z}.dim())
F.linear({z}, {same})
torch.cross({z}, {same}, dim={dim})
torch.linalg.vecdot({z}, {same})
torch.linalg.multi_dot([{z}, {z}.mH, {z}])
"""
FOURIER = """
torch.fft.fft({z}, n={n}, dim={dim}, norm={norm})
torch.fft.ifft({z}, n={n}, dim={dim}, norm={norm})
torch.fft.fft({v}, dim={dim})
torch.fft.fft({x}, n={n}, dim={dim}, norm={norm})
torch.fft.rfft({x}, n={n}, dim={dim}, norm={norm})
torch.fft.irfft({z}, n={n}, dim={dim}, norm={norm})
torch.fft.hfft({z}, n={n}, dim={dim}, norm={norm})
torch.fft.ihfft({x}, n={n}, dim={dim}, norm={norm})
torch.fft.fft2({v}, norm={norm})
torch.fft.ifft2({v}, norm={norm})
torch.fft.fftn({v}, dim={dims}, norm={norm})
torch.fft.ifftn({v}, norm={norm})
torch.fft.rfftn({x}, norm={norm})
torch.fft.rfft2({x}, norm={norm})
torch.fft.irfftn({z}, dim={dims}, norm={norm})
torch.fft.irfft2({z}, norm={norm})
torch.fft.hfftn({z}, dim={dims}, norm={norm})
torch.fft.fftshift({v})
torch.fft.ifftshift({v}, dim={dim})
torch.fft.ifft(torch.fft.fft({v}, dim={dim}) * 1j, dim={lastdim})
torch.fft.irfft(torch.fft.rfft({x}), n={x}.shape[-1])
torch.fft.fft({z}.mT).mT
torch.fft.fft({z}.conj())
"""
INDEXING = """
{v}[{index}]
{v}[..., {index}]
{v}.index_select({dim}, {indexdim})
torch.gather({z}, -1, torch.zeros({z}.shape, dtype=torch.long))
torch.take_along_dim({v}, torch.zeros_like({v}, dtype=torch.long), {dim})
{v}.index_add({dim}, {indexdim}, {v}.index_select({dim}, {indexdim}), alpha={r})
{v}.index_copy({dim}, torch.tensor([0]), {v}.narrow({dim}, -1, 1))
{v}.index_fill({dim}, torch.tensor([0]), {number})
{v}.masked_fill({mask}, {number})
{z}.masked_fill({mask}, {c})
torch.index_put({v}, (torch.tensor([0, 0]),), {v}[0], accumulate={flag})
{v}.scatter({dim}, torch.zeros_like({v}, dtype=torch.long).narrow({dim}, 0, 1), {same})
{v}.scatter_add({dim}, torch.zeros_like({v}, dtype=torch.long), {same})
{v}.select_scatter({v}.select({dim}, 0) * 2, {lastdim}, 0)
{v}.slice_scatter({v}.narrow({dim}, 0, 1) * 2, {lastdim}, 0, 1)
{v}.diagonal_scatter({v}.diagonal() * 2)
{v}.masked_scatter({mask}, {same})
{v}[{index}, ..., {index}]
{v}[:, {index}]
{z}.put(torch.tensor([0]), {z}.flatten()[-1:])
"""
WRITES = """
{v}.add_({w})
{v}.add_({w}, alpha={number})
{v}.mul_({w})
{v}.sub_({number})
{z}.mul_({number})
{z}.div_({number})
{v}.copy_({w})
{z}.copy_({zw}.conj())
{z}.neg_()
{z}.zero_()
{v}.fill_({number})
{z}.conj_physical_()
{z}.square_()
{z}.exp_()
{z}.addcmul_({w}, {w})
{v}[{slice}] = {number}
{v}[{slice}] += {number}
{v}[{slice}] *= {s}
{v}[{slice}].copy_({v}[{again}] * 2)
{v}[{slice}].mul_({number})
{z}.real.mul_({r})
{z}.imag.add_({r})
{z}.real.copy_({z}.imag * 2)
{z}.imag.copy_({xw})
{z}.real.zero_()
torch.view_as_real({z})[..., 1].neg_()
torch.view_as_real({z}).mul_({r})
torch.view_as_real({z})[..., 0].copy_({xw})
{z}.conj().mul_({number})
{z}.conj()[{slice}] = {number}
{v}.t().mul_({r})
{v}.transpose({dim}, {dim})[0] = {number}
{v}.flatten()[:2] = {number}
{v}.view(-1)[:2].add_({number})
{v}.diagonal().add_({r})
{v}.fill_diagonal_({r})
{v}.masked_fill_({mask}, {number})
{v}[{mask}] = {number}
{v}.index_put_((torch.tensor([0, -1]),), {v}[0] * 2, accumulate={flag})
{v}[{index}] = {v}[0] * 2
{v}.index_add_({dim}, torch.tensor([0, 0]), {v}.index_select({dim}, torch.tensor([0, 0])).clone())
{v}.index_fill_({dim}, torch.tensor([0]), {r})
{v}.index_copy_({dim}, torch.tensor([0]), {v}.narrow({dim}, -1, 1).clone())
{v}.scatter_({dim}, torch.zeros_like({v}, dtype=torch.long).narrow({dim}, 0, 1), {same})
{v}.scatter_add_({dim}, torch.zeros_like({v}, dtype=torch.long), {same}.clone())
{v}.put_(torch.tensor([0]), {v}.flatten()[-1:].clone())
{z}.as_strided((2,), (1,)).mul_({number})
{z}.as_strided((2,), (1,), {zeroone}).copy_({zw}.flatten()[:2])
torch.add({z}, {number}, out={same})
torch.mul({z}, {zw}, out={same})
torch.exp({z}, out={same})
torch._foreach_mul_([{z}], {number})
torch._foreach_add_([{z}], [{same} * 2])
{z}.lerp_({same}, 0.25)
{v}.squeeze_()
{v}.unsqueeze_(0)
{v}.unbind({dim})[0].mul_({r})
"""

# Families, how often they are drawn, and whether their lines are values or statements.
FAMILIES: dict[str, tuple[int, str]] = {
    "arithmetic": (24, ARITHMETIC),
    "functions": (14, FUNCTIONS),
    "heavy": (2, HEAVY),
    "views": (18, VIEWS),
    "moves": (10, MOVES),
    "reductions": (8, REDUCTIONS),
    "products": (8, PRODUCTS),
    "fourier": (7, FOURIER),
    "indexing": (7, INDEXING),
    "writes": (14, WRITES),
}

LINES: dict[str, tuple[str, ...]] = {
    name: tuple(text.strip().splitlines()) for name, (_, text) in FAMILIES.items()
}
