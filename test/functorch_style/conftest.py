"""Settings of every test here."""

from torch_complex_subclass.testing.fixtures import pytest_configure as pytest_configure
from torch_complex_subclass.testing.fixtures import reset_compiler as reset_compiler
from torch_complex_subclass.testing.fixtures import seed as seed


def pytest_collection_modifyitems(items):
    """Give the workers of pytest-xdist one order of tests.

    Torch's decorators iterate over sets of dtypes, whose order is that of addresses.
    """
    items.sort(key=lambda item: item.nodeid if "functorch_style" in item.nodeid else "")
