"""Which entries of torch's op database can be compiled, and why the others cannot."""

from __future__ import annotations

from torch_complex_subclass.testing import opinfo

# Entries without a case, and why there is none.
NO_CASE = {
    **opinfo.GPU_ONLY,
    "sparse.sampled_addmm": "takes a sparse operand, which Dynamo does not trace",
    **dict.fromkeys(opinfo.UNDEFINED_VALUES, "eager leaves the values undefined"),
}

# Dynamo or AOTAutograd refuse samples of these before the pass sees a graph.
DATA_DEPENDENT = "its result, or a check inside it, depends on the data"
GENERATOR = "a sample passes a random generator, which Dynamo does not trace"
REFUSED = {
    "allclose": DATA_DEPENDENT,
    "combinations": DATA_DEPENDENT,
    "corrcoef": DATA_DEPENDENT,
    "cov": DATA_DEPENDENT,
    "equal": DATA_DEPENDENT,
    "item": "Dynamo does not return Python complex numbers in one graph",
    "linalg.lstsq": DATA_DEPENDENT,
    "linalg.lstsq.grad_oriented": DATA_DEPENDENT,
    "nn.functional.feature_alpha_dropout.without_train": GENERATOR,
    "normal.in_place": GENERATOR,
    "pca_lowrank": GENERATOR,
    "rand_like": GENERATOR,
    "randn": GENERATOR,
    "randn_like": GENERATOR,
    "resize_": "Dynamo does not trace it",
    "resize_as_": "Dynamo does not trace it",
    "svd_lowrank": GENERATOR,
    "to_sparse": "Dynamo does not trace sparse tensors",
    "uniform": GENERATOR,
}

# Refused for samples between the first and the last.
REFUSED_SAMPLES = {
    "masked_select": "torch bounds the result by the operand's size before it is broadcast",
    "tensor_split": DATA_DEPENDENT,
}

# Compiled for real tensors all the same.
REFUSED_COMPLEX_ONLY = {"item"}

NO_GRADIENT = {"to_sparse": "eager refuses its gradient"}

for names in (NO_GRADIENT, NO_CASE, REFUSED, REFUSED_SAMPLES, REFUSED_COMPLEX_ONLY):
    opinfo.check_names(names)

OPS = opinfo.complex_ops(NO_CASE)
DIFFERENTIABLE = [
    op for op in OPS if op.supports_autograd and opinfo.full_name(op) not in NO_GRADIENT
]
