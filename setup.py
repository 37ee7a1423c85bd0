"""Maps top-level folders into the package; all other settings are in pyproject.toml."""

from setuptools import find_packages, setup

PACKAGE = "torch_complex_subclass"
FOLDERS = {
    "decompositions": "decompositions",
    "inductor_lowering": "inductor_lowering",
    "bench.workloads": "benchmarks/workloads",
}

package_dir = {PACKAGE: PACKAGE}
for name, folder in FOLDERS.items():
    package_dir[f"{PACKAGE}.{name}"] = folder
    for nested in find_packages(folder):
        package_dir[f"{PACKAGE}.{name}.{nested}"] = f"{folder}/{nested.replace('.', '/')}"
for nested in find_packages(PACKAGE):  # also walks the links; setdefault keeps the real paths
    package_dir.setdefault(f"{PACKAGE}.{nested}", f"{PACKAGE}/{nested.replace('.', '/')}")

setup(packages=sorted(package_dir), package_dir=package_dir)
