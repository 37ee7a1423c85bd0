"""Special values of the functions that C23 does not have, in the form of its tables.

They are limits: of the definition by functions that Annex G has, and on the real axis those of
the real function. Where there is no limit, they are what eager gives. docs/special_values.md
states the policy.
"""

from __future__ import annotations

import math

from torch_complex_subclass.testing.annex_g import EVEN, EXP, LOG, ODD
from torch_complex_subclass.testing.special_rows import Case, cases, conjugate

EXPM1 = """
    +0      +0   : +0     +0
    -0      +0   : -0     +0
    finite  +inf : nan    nan
    finite  nan  : nan    nan
    +inf    +0   : +inf   +0
    -inf  finite : -1     0*sin(y)
    +inf nonzero : inf*cos(y) inf*sin(y)
    -inf    +inf : -1     +-0
    +inf    +inf : +-inf  nan
    -inf    nan  : -1     +-0
    +inf    nan  : +-inf  nan
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

# As log at 1 + z.
LOG1P = """
    +0      +0   : +0     +0
    -0      +0   : -0     +0
    -1      +0   : -inf   +0
    finite  +inf : +inf   pi/2
    finite  nan  : nan    nan
    -inf    plus : +inf   pi
    +inf    plus : +inf   +0
    -inf    +inf : +inf   3pi/4
    +inf    +inf : +inf   pi/4
    +-inf   nan  : +inf   nan
    nan   finite : nan    nan
    nan     +inf : +inf   nan
    nan     nan  : nan    nan
"""

# At 0 the value is infinite and has no direction.
RSQRT = """
    +-0     +0   : +inf   nan
    finite  +inf : +0     -0
    -inf    plus : +0     -0
    +inf    plus : +0     -0
    +-inf   +inf : +0     -0
    +-inf   nan  : +0     +-0
    nan     +inf : +0     -0
    finite  nan  : nan    nan
    nan   finite : nan    nan
    nan     nan  : nan    nan
"""

RECIPROCAL = """
    +-0     +0   : +-inf  nan
    plus    +inf : +0     -0
    +inf    plus : +0     -0
    +inf    +inf : +0     -0
    +inf    nan  : +0     +-0
    nan     +inf : +-0    -0
    finite  nan  : nan    nan
    nan   finite : nan    nan
    nan     nan  : nan    nan
"""

# The product z z by its formula, as eager computes it: see the policy on products.
SQUARE = """
    +0      +0   : +0     +0
    +inf    +0   : +inf   nan
    +0      +inf : -inf   nan
    +inf positive : +inf  +inf
    positive +inf : -inf  +inf
    +inf    +inf : nan    +inf
    finite  nan  : nan    nan
    +inf    nan  : nan    nan
    nan   finite : nan    nan
    nan     +inf : nan    nan
    nan     nan  : nan    nan
"""

SGN = """
    +0      +0   : +0     +0
    +inf    plus : 1      +0
    plus    +inf : +0     1
    +inf    +inf : {0}    {0}
    finite  nan  : nan    nan
    +inf    nan  : nan    nan
    nan   finite : nan    nan
    nan     +inf : nan    nan
    nan     nan  : nan    nan
""".replace("{0}", repr(math.sqrt(0.5)))

SIGMOID = """
    +-0     +0   : 0.5    +0
    finite  +inf : nan    nan
    finite  nan  : nan    nan
    -inf  finite : 0*cos(y)   0*sin(y)
    +inf  finite : 1      0*sin(y)
    -inf    +inf : +-0    +-0
    +inf    +inf : 1      +-0
    -inf    nan  : +-0    +-0
    +inf    nan  : 1      +-0
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

SILU = """
    +0      +0   : +0     +0
    -0      +0   : -0     +0
    finite  +inf : nan    nan
    finite  nan  : nan    nan
    -inf  finite : -0*cos(y)  -0*sin(y)
    +inf  finite : +inf   y
    -inf    +inf : nan    nan
    +inf    +inf : +inf   +inf
    -inf    nan  : nan    nan
    +inf    nan  : +inf   nan
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

# For infinite y the limit is infinite: times cos(pi x) - i sin(pi x), and along the next term of
# the quotient where one of these is 0.
SINC = """
    +0      +0   : 1      -0
    1e-12   +0   : 1      -0
    1e-20   +0   : 1      -0
    +inf  finite : +-0    +-0
    +0      +inf : +inf   -0
    0.25    +inf : +inf   -inf
    0.5     +inf : +inf   -inf
    0.75    +inf : -inf   -inf
    1       +inf : -inf   -inf
    1.5     +inf : -inf   +inf
    2       +inf : +inf   +inf
    +inf    +inf : nan    nan
    +0      nan  : nan    +-0
    nonzero nan  : nan    nan
    +inf    nan  : nan    nan
    nan     +0   : nan    +-0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

OWN: dict[str, tuple[Case, ...]] = {
    "conj_physical": cases("any any : x -y", ()),
    "exp2": cases(EXP.replace("(y)", "(yln2)"), (conjugate,)),
    "expm1": cases(EXPM1, (conjugate,)),
    "log10": cases(LOG, (conjugate,), angle=1 / math.log(10)),
    "log1p": cases(LOG1P, (conjugate,)),
    "log2": cases(LOG, (conjugate,), angle=1 / math.log(2)),
    "neg": cases("any any : -x -y", ()),
    "positive": cases("any any : x y", ()),
    "reciprocal": cases(RECIPROCAL, ODD),
    "rsqrt": cases(RSQRT, (conjugate,)),
    "sgn": cases(SGN, ODD),
    "sigmoid": cases(SIGMOID, (conjugate,)),
    "silu": cases(SILU, (conjugate,)),
    "sinc": cases(SINC, EVEN),
    "square": cases(SQUARE, EVEN),
}
OWN["_neg_view_copy"] = OWN["neg"]
for _name in ("_conj", "_conj_copy", "_conj_physical"):
    OWN[_name] = OWN["conj_physical"]
