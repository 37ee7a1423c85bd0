"""Write docs/fallbacks.md: the complex kernels that each op database entry keeps when compiled.

Checks values on the way, as the tests do. Takes some minutes.
"""

import warnings

import torch
from tqdm import tqdm

from torch_complex_subclass.testing import compiled, entries, fallbacks, opinfo

# The dtypes that the tests use for each direction.
WAYS = (
    ("forward", entries.OPS, torch.complex64),
    ("backward", entries.DIFFERENTIABLE, torch.complex128),
)


def main() -> None:
    """Run every entry and write the page."""
    # Samples include deprecated calls.
    warnings.simplefilter("ignore")
    kept, refused = {}, set()
    for way, ops, dtype in WAYS:
        for op in tqdm(ops, desc=way):
            outcome = compiled.check(op, opinfo.ends(op, dtype, way == "backward"))
            if outcome.refused:
                refused.add(opinfo.full_name(op))
            else:
                kept[opinfo.full_name(op), way] = outcome.kept
    fallbacks.PAGE.write_text(fallbacks.text(kept, refused))


if __name__ == "__main__":
    main()
