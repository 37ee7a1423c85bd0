"""Complex functions by their textbook formulas on real and imaginary parts.

What one writes by hand without a thought of cancellation, overflow or special values; the
benchmarks compare the accurate rules with them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Parts = tuple[Tensor, Tensor]


def mul(z: Parts, w: Parts) -> Parts:
    """Product."""
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def div(z: Parts, w: Parts) -> Parts:
    """Quotient z conj(w) / |w|^2."""
    size = w[0] * w[0] + w[1] * w[1]
    return (z[0] * w[0] + z[1] * w[1]) / size, (z[1] * w[0] - z[0] * w[1]) / size


def reciprocal(z: Parts) -> Parts:
    """Reciprocal conj(z) / |z|^2."""
    size = z[0] * z[0] + z[1] * z[1]
    return z[0] / size, -z[1] / size


def square(z: Parts) -> Parts:
    """Square."""
    return z[0] * z[0] - z[1] * z[1], 2 * z[0] * z[1]


def modulus(z: Parts) -> Tensor:
    """Modulus."""
    return torch.sqrt(z[0] * z[0] + z[1] * z[1])


def absolute(z: Parts) -> Parts:
    """Modulus as a complex value."""
    return modulus(z), torch.zeros_like(z[0])


def sgn(z: Parts) -> Parts:
    """Phase."""
    size = modulus(z)
    return z[0] / size, z[1] / size


def exp(z: Parts) -> Parts:
    """Exponential."""
    size = torch.exp(z[0])
    return size * torch.cos(z[1]), size * torch.sin(z[1])


def log(z: Parts) -> Parts:
    """Principal logarithm."""
    return torch.log(modulus(z)), torch.atan2(z[1], z[0])


def sqrt(z: Parts) -> Parts:
    """Principal square root."""
    size = modulus(z)
    return torch.sqrt((size + z[0]) / 2), torch.sqrt((size - z[0]) / 2).copysign(z[1])


def rsqrt(z: Parts) -> Parts:
    """Reciprocal square root."""
    return reciprocal(sqrt(z))


def sinh(z: Parts) -> Parts:
    """Hyperbolic sine."""
    e = torch.exp(z[0])
    half, other = 0.5 * e, 0.5 / e
    return (half - other) * torch.cos(z[1]), (half + other) * torch.sin(z[1])


def cosh(z: Parts) -> Parts:
    """Hyperbolic cosine."""
    e = torch.exp(z[0])
    half, other = 0.5 * e, 0.5 / e
    return (half + other) * torch.cos(z[1]), (half - other) * torch.sin(z[1])


def sin(z: Parts) -> Parts:
    """Sine."""
    im, re = sinh((-z[1], z[0]))
    return re, -im


def cos(z: Parts) -> Parts:
    """Cosine."""
    return cosh((-z[1], z[0]))


def tanh(z: Parts) -> Parts:
    """Hyperbolic tangent by the double angle."""
    e = torch.exp(2 * z[0])
    half, other = 0.5 * e, 0.5 / e
    size = half + other + torch.cos(2 * z[1])
    return (half - other) / size, torch.sin(2 * z[1]) / size


def tan(z: Parts) -> Parts:
    """Tangent."""
    im, re = tanh((-z[1], z[0]))
    return re, -im


def sigmoid(z: Parts) -> Parts:
    """Logistic function 1 / (1 + exp(-z))."""
    re, im = exp((-z[0], -z[1]))
    return reciprocal((1 + re, im))


def asinh(z: Parts) -> Parts:
    """Inverse hyperbolic sine log(z + sqrt(z^2 + 1))."""
    re, im = square(z)
    re, im = sqrt((re + 1, im))
    return log((z[0] + re, z[1] + im))


def atan(z: Parts) -> Parts:
    """Inverse tangent (i/2) log((i + z) / (i - z))."""
    re, im = log(div((z[0], z[1] + 1), (-z[0], 1 - z[1])))
    return -0.5 * im, 0.5 * re


def acos(z: Parts) -> Parts:
    """Inverse cosine -i log(z + i sqrt(1 - z^2))."""
    re, im = square(z)
    re, im = sqrt((1 - re, -im))
    re, im = log((z[0] - im, z[1] + re))
    return im, -re


def log1p(z: Parts) -> Parts:
    """Logarithm of 1 + z."""
    return log((1 + z[0], z[1]))


def expm1(z: Parts) -> Parts:
    """Exponential less one."""
    re, im = exp(z)
    return re - 1, im


def power(z: Parts, w: float) -> Parts:
    """Power by the logarithm."""
    re, im = log(z)
    return exp((w * re, w * im))


def cubed(z: Parts) -> Parts:
    """Third power as a product."""
    return mul(mul(z, z), z)


def lerp(start: Parts, end: Parts, weight: Parts) -> Parts:
    """Interpolation start + weight (end - start)."""
    re, im = mul(weight, (end[0] - start[0], end[1] - start[1]))
    return start[0] + re, start[1] + im


def logaddexp(z: Parts, w: Parts) -> Parts:
    """Logarithm of exp(z) + exp(w)."""
    (a, b), (c, d) = exp(z), exp(w)
    return log((a + c, b + d))


Textbook = Callable[..., Parts]
