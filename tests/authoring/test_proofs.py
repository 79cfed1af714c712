"""Proofs: placeholders, what a command must print, what may stay behind, what codes mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import AuthoringError
from harness.products import CommandProof, Product, read_product

from .project import PRODUCT

MORE = """
leftovers_allowed = ['C:\\Users\\*\\AppData\\Local\\Temp\\*', '{install_dir}\\cache']

[[exit_codes]]
code = 5
response = "packageInUse"
[[exit_codes]]
code = 101
response = "rebootRequiredToFinish"
[[exit_codes]]
code = 0xC0000005
words = "it crashes when it is done"
success = true

[[user_files]]
path = '{install_dir}\\{version}.txt'

[[user_values]]
key = 'HKCU\\Software\\Demo\\{version}'
value = "Theme"

"""


@pytest.fixture
def product(project: Path) -> Product:
    """Read the project's product with a little of everything."""
    file = project / "fixtures/products/demo.toml"
    before, versions, after = PRODUCT.partition("[[versions]]")
    file.write_text(before + MORE + versions + after.replace("prints = ", "matches = "))
    return read_product(file)


@pytest.mark.parametrize(
    ("prints", "output", "holds"),
    [
        ("1.3.0", "demo 1.3.0\r\n", True),
        ("1.3.0", "demo1.3.0.git\r\n", True),
        ("1.3.0", "11.3.0", False),
        ("1.3.0", "2.1.3.0", False),
        ("1.3.0", "1.3.01", False),
        ("1.3.0", "1.3.0.1", False),
        ("1.3.0", "1.2.0\n1.3.0", True),
        ("go1.3", "go version go1.3 windows/amd64", True),
        ("demo", "DEMO", False),
        (".", "a.b", True),
    ],
)
def test_a_version_is_found_only_as_a_whole(prints: str, output: str, holds: bool) -> None:
    """Version 1.3.0 is not proven by 11.3.0."""
    assert CommandProof(run="x", prints=prints).holds(output) is holds


def test_a_pattern_is_searched_line_by_line() -> None:
    """A banner before the version does not matter."""
    proof = CommandProof(run="x", matches=r"^demo \d+$")
    assert proof.holds("a banner\ndemo 12\n")
    assert not proof.holds("a banner demo 12 or so")
    assert proof.expected == r"a match of '^demo \\d+$'"


def test_placeholders_are_filled_and_literal_in_a_pattern(product: Product) -> None:
    """Version 2.0 in a regular expression does not match 2x0."""
    proofs = product.proofs_of("2.0")
    assert proofs.files == (r"C:\Program Files\Demo\demo.exe",)
    assert proofs.uninstall_entry is not None
    assert proofs.uninstall_entry.display_name == "Demo 2.0"
    assert proofs.command is not None
    assert proofs.command.run == r'"C:\Program Files\Demo\demo.exe" --version'
    assert proofs.command.holds("demo 2.0")
    assert not proofs.command.holds("demo 2x0")
    assert product.user_files_of("1.1")[0].path == r"C:\Program Files\Demo\1.1.txt"
    (setting,) = product.user_values_of("1.1")
    assert (setting.key, setting.value, setting.text) == (r"HKCU\Software\Demo\1.1", "Theme", "set by a person")


def test_leftovers_may_be_named_by_a_variable_and_with_their_folder(product: Product) -> None:
    """%APPDATA% means every account's; a folder may stay with what is in it; brackets are brackets."""
    demo = product.model_copy(update={"leftovers_allowed": (r"%APPDATA%\Demo\*", r"{install_dir}\cache")})
    assert demo.allows_leftover(r"C:\users\Me\AppData\Roaming\demo\a\b.json")
    assert demo.allows_leftover(r"C:\users\Me\AppData\Roaming\Demo")
    assert demo.allows_leftover(r"C:\Program Files\Demo\cache\1\x.bin")
    assert not demo.allows_leftover(r"C:\users\Me\AppData\Roaming\Demon")
    assert not demo.allows_leftover(r"C:\users\Me\AppData\Local\Demo\a")
    bracketed = demo.model_copy(update={"install_dir": r"C:\Program Files\Demo [x64]"})
    assert bracketed.allows_leftover(r"C:\Program Files\Demo [x64]\cache")


def test_a_variable_that_is_none_is_a_mistake(project: Path) -> None:
    """It would allow nothing, and the author would hear of it as a leftover."""
    file = project / "fixtures/products/demo.toml"
    before, versions, after = PRODUCT.partition("[[versions]]")
    file.write_text(f"{before}leftovers_allowed = ['%APPDAT%\\\\Demo']\n{versions}{after}")
    with pytest.raises(AuthoringError, match="did you mean 'APPDATA'"):
        read_product(file)


def test_leftovers_are_allowed_as_windows_compares_paths(product: Product) -> None:
    """Capitals do not matter; nothing but what is listed is allowed."""
    assert product.allows_leftover(r"c:\users\Bob\appdata\local\temp\deep\file.log")
    assert product.allows_leftover(r"C:\PROGRAM FILES\DEMO\CACHE")
    assert not product.allows_leftover(r"C:\Program Files\Demo\demo.exe")


def test_the_products_own_words_for_a_code_come_first(product: Product) -> None:
    """Then those of Windows Installer, as it is an MSI."""
    assert str(product.meaning(5)) == "exit code 5: the product is in use"
    assert product.meaning(101).success
    assert product.meaning(101).reboot
    assert product.meaning(-1073741819).success
    assert product.meaning(1638).name == "PRODUCT_VERSION"


def test_a_product_crosses_processes(product: Product) -> None:
    """Workers get products by value."""
    import pickle

    assert pickle.loads(pickle.dumps(product)) == product  # noqa: S301 - our own bytes
