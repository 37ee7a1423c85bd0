"""Helpers for tests of this package and of extensions to its table."""
