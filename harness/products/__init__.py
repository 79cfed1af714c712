"""What is under test: its packages, how it is installed and removed, and how it proves itself."""

from harness.products.packages import Package
from harness.products.product import Product, read_product
from harness.products.proofs import CommandProof, PathEntry, Proofs, RegistryValue, UninstallEntry, UserFile, UserValue

__all__ = [
    "CommandProof",
    "Package",
    "PathEntry",
    "Product",
    "Proofs",
    "RegistryValue",
    "UninstallEntry",
    "UserFile",
    "UserValue",
    "read_product",
]
