"""The special values of C23 Annex G, G.6.2 to G.6.4 (C11 and C17: G.6.1 to G.6.4), row by row.

Each table has the rows of its subclause in their order, written as `special_rows` says; the
symmetries that the subclause states give the rest. `cacosh(0 + iNaN)` and `ctanh(0 + i inf)` are
as corrected by defect reports 471 and 472 of C11, which C17 and C23 contain.
"""

from __future__ import annotations

from torch_complex_subclass.testing.special_rows import (
    Case,
    cases,
    conjugate,
    mirror,
    negate,
    reflect,
    turn_even,
    turn_odd,
)

ACOS = """
    +-0     +0   : pi/2   -0
    +-0     nan  : pi/2   nan
    finite  +inf : pi/2   -inf
    nonzero nan  : nan    nan
    -inf    plus : pi     -inf
    +inf    plus : +0     -inf
    -inf    +inf : 3pi/4  -inf
    +inf    +inf : pi/4   -inf
    +-inf   nan  : nan    +-inf
    nan   finite : nan    nan
    nan     +inf : nan    -inf
    nan     nan  : nan    nan
"""

ACOSH = """
    +-0     +0   : +0     pi/2
    finite  +inf : +inf   pi/2
    +-0     nan  : nan    +-pi/2
    nonzero nan  : nan    nan
    -inf    plus : +inf   pi
    +inf    plus : +inf   +0
    -inf    +inf : +inf   3pi/4
    +inf    +inf : +inf   pi/4
    +-inf   nan  : +inf   nan
    nan   finite : nan    nan
    nan     +inf : +inf   nan
    nan     nan  : nan    nan
"""

ASINH = """
    +0      +0   : +0     +0
    plus    +inf : +inf   pi/2
    finite  nan  : nan    nan
    +inf    plus : +inf   +0
    +inf    +inf : +inf   pi/4
    +inf    nan  : +inf   nan
    nan     +0   : nan    +0
    nan  nonzero : nan    nan
    nan     +inf : +-inf  nan
    nan     nan  : nan    nan
"""

ATANH = """
    +0      +0   : +0     +0
    +0      nan  : +0     nan
    1       +0   : +inf   +0
    plus    +inf : +0     pi/2
    nonzero nan  : nan    nan
    +inf    plus : +0     pi/2
    +inf    +inf : +0     pi/2
    +inf    nan  : +0     nan
    nan   finite : nan    nan
    nan     +inf : +-0    pi/2
    nan     nan  : nan    nan
"""

COSH = """
    +0      +0   : 1      +0
    +0      +inf : nan    +-0
    +0      nan  : nan    +-0
    nonzero +inf : nan    nan
    nonzero nan  : nan    nan
    +inf    +0   : +inf   +0
    +inf nonzero : inf*cos(y) inf*sin(y)
    +inf    +inf : +-inf  nan
    +inf    nan  : +inf   nan
    nan     +0   : nan    +-0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

SINH = """
    +0      +0   : +0     +0
    +0      +inf : +-0    nan
    +0      nan  : +-0    nan
    positive +inf : nan   nan
    nonzero nan  : nan    nan
    +inf    +0   : +inf   +0
    +inf positive : inf*cos(y) inf*sin(y)
    +inf    +inf : +-inf  nan
    +inf    nan  : +-inf  nan
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

TANH = """
    +0      +0   : +0     +0
    +0      +inf : +0     nan
    nonzero +inf : nan    nan
    +0      nan  : +0     nan
    nonzero nan  : nan    nan
    +inf    plus : 1      0*sin(2y)
    +inf    +inf : 1      +-0
    +inf    nan  : 1      +-0
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

EXP = """
    +-0     +0   : 1      +0
    finite  +inf : nan    nan
    finite  nan  : nan    nan
    +inf    +0   : +inf   +0
    -inf  finite : 0*cos(y)   0*sin(y)
    +inf nonzero : inf*cos(y) inf*sin(y)
    -inf    +inf : +-0    +-0
    +inf    +inf : +-inf  nan
    -inf    nan  : +-0    +-0
    +inf    nan  : +-inf  nan
    nan     +0   : nan    +0
    nan   number : nan    nan
    nan     nan  : nan    nan
"""

LOG = """
    -0      +0   : -inf   pi
    +0      +0   : -inf   +0
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

SQRT = """
    +-0     +0   : +0     +0
    finite  +inf : +inf   +inf
    +-inf   +inf : +inf   +inf
    nan     +inf : +inf   +inf
    finite  nan  : nan    nan
    -inf    plus : +0     +inf
    +inf    plus : +inf   +0
    -inf    nan  : nan    +-inf
    +inf    nan  : +inf   nan
    nan   finite : nan    nan
    nan     nan  : nan    nan
"""

# G.6 gives carg and cabs to F.10.1.4 (atan2) and F.10.4.3 (hypot); their value is the real part.
ABS = """
    +-0     +-0  : +0     +0
    +-inf finite : +inf   +0
    +-inf  +-inf : +inf   +0
    +-inf   nan  : +inf   +0
    finite +-inf : +inf   +0
    nan    +-inf : +inf   +0
    finite  nan  : nan    +0
    nan   finite : nan    +0
    nan     nan  : nan    +0
"""

ANGLE = """
    +0      +0   : +0     +0
    -0      +0   : pi     +0
    +-0 positive : pi/2   +0
    -inf    plus : pi     +0
    +inf    plus : +0     +0
    finite  +inf : pi/2   +0
    -inf    +inf : 3pi/4  +0
    +inf    +inf : pi/4   +0
    nan     any  : nan    +0
    any     nan  : nan    +0
"""

ODD, EVEN = (conjugate, negate), (conjugate, mirror)

ANNEX_G: dict[str, tuple[Case, ...]] = {
    "abs": cases(ABS, ()),
    "acos": cases(ACOS, (conjugate,)),
    "acosh": cases(ACOSH, (conjugate,)),
    "angle": cases(ANGLE, (reflect,)),
    "asinh": cases(ASINH, ODD),
    "atanh": cases(ATANH, ODD),
    "cosh": cases(COSH, EVEN),
    "exp": cases(EXP, (conjugate,)),
    "log": cases(LOG, (conjugate,)),
    "sinh": cases(SINH, ODD),
    "sqrt": cases(SQRT, (conjugate,)),
    "tanh": cases(TANH, ODD),
}
# G.6.1: casin(z) = -i casinh(iz), catan, ccos, csin and ctan alike.
for _name in ("asin", "atan", "sin", "tan"):
    ANNEX_G[_name] = tuple(map(turn_odd, ANNEX_G[_name + "h"]))
ANNEX_G["cos"] = tuple(map(turn_even, ANNEX_G["cosh"]))
