"""Maps two top-level folders into the package; all other settings are in pyproject.toml."""

from setuptools import find_packages, setup

PACKAGE = "torch_complex_subclass"
package_dir = {PACKAGE: PACKAGE}
for folder in ("decompositions", "inductor_lowering"):
    package_dir[f"{PACKAGE}.{folder}"] = folder
    for nested in find_packages(folder):
        package_dir[f"{PACKAGE}.{folder}.{nested}"] = f"{folder}/{nested.replace('.', '/')}"
for nested in find_packages(PACKAGE):  # also walks the two links; setdefault keeps the real paths
    package_dir.setdefault(f"{PACKAGE}.{nested}", f"{PACKAGE}/{nested.replace('.', '/')}")

setup(packages=sorted(package_dir), package_dir=package_dir)
