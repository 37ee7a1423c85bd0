"""Settings of every test here."""

from torch_complex_subclass.testing.fixtures import pytest_configure as pytest_configure
from torch_complex_subclass.testing.fixtures import reset_compiler as reset_compiler
from torch_complex_subclass.testing.fixtures import seed as seed
