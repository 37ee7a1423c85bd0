"""Hyperbolic functions, their inverses, and the sigmoid."""
