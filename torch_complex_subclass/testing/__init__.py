"""Helpers that the tests share; nothing in the package imports them."""
