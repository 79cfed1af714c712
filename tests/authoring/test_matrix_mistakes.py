"""Mistakes in a matrix and in the products it names: each is one line that says where and what instead."""

# ruff: noqa: E501 - a row of these tables is a mistake and its answer, and is read whole

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import AuthoringError
from harness.matrix import read_matrix

from .project import SCENARIOS

MATRIX = "matrices/demo.toml"
PRODUCT = "fixtures/products/demo.toml"

# what is replaced in the matrix, by what, and the line that follows
IN_THE_MATRIX = [
    ("[22631, 19044]", "[]", "builds: should not be empty"),
    ('["demo"]', "[]", "products: should not be empty"),
    (
        "[22631, 19044]",
        "[22632]",
        "builds[0]: build 22632 is not in the catalog; the nearest is 22631 (Windows 11 23H2)",
    ),
    ("22631, 1", '"win11-23h3", 1', "builds[0]: 'win11-23h3' is not a Windows build; did you mean 'win11-23h2'?"),
    ("22631,", "22631.4030,", 'builds[0]: put a build with a revision in quotes: "22631.4037"'),
    ("22631,", "true,", "builds[0]: should be a build like 22631, in quotes where it has a revision or is a name"),
    ("22631,", '"win10-21h2",', "builds[1]: '19044' is there twice"),
    ('["demo"]', '["demo", "demo"]', "products[1]: 'demo' is there twice"),
    (
        '["demo"]',
        '["demo", "../fixtures/products/demo.toml"]',
        "products[1]: '../fixtures/products/demo.toml' is 'demo' again",
    ),
    ('["demo"]', '["demo", "demi"]', "products[1]: no product 'demi'; did you mean 'demo'?"),
    ('["demo"]', '["../demo"]', "products[0]: no product '../demo'; did you mean 'demo'?"),
    ('"upgrade"', '"upgrad"', "scenarios[1]: no scenario 'upgrad'; did you mean 'upgrade'?"),
    ('"upgrade"', '"install"', "scenarios[1]: 'install' is there twice"),
    ("scenarios =", "senarios =", "no key 'senarios' here; did you mean 'scenarios'? (and 1 more)"),
    ('name = "matrix"', "", "the key 'name' is missing"),
]

# what is put at the matrix's end
AT_THE_END = [
    ("[[skips]]\nbuilds = [19044]", "skips[0]: the key 'reason' is missing"),
    (
        '[[skips]]\nreason = "r"\nbuilds = [22000]',
        "skips[0].builds[0]: no build '22000' in the matrix; choose from 22631, 19044",
    ),
    ('[[skips]]\nreason = "r"\nproducts = ["demos"]', "skips[0].products[0]: no product 'demos'; did you mean 'demo'?"),
    (
        '[[skips]]\nreason = "r"\nscenarios = ["denied"]',
        "skips[0].scenarios[0]: no scenario 'denied'; choose from install, upgrade, rollback",
    ),
    (
        '[[skips]]\nreason = "r"\n[[known_issues]]\nid = "i"\nticket = "T-1"\nreason = "r"\nexpires = 2030-01-01',
        "known_issues[0]: 'i' matches no cell that is run",
    ),
    (
        '[[known_issues]]\nid = "i"\nticket = "T-1"\nreason = "r"\nexpires = 2030-01-01\nmatches = "("',
        "known_issues[0].matches: is not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        '[[known_issues]]\nid = "i"\nticket = "T-1"\nreason = "r"\nexpires = 2030-01-01\nwhere = "labs"',
        "known_issues[0].where: no choice 'labs'; did you mean 'lab'?",
    ),
    ('[[known_issues]]\nid = "i"\nticket = "T-1"\nreason = "r"', "known_issues[0]: the key 'expires' is missing"),
    (
        '[[known_issues]]\nid = "i"\nticket = "T-1"\nreason = "r"\nexpires = 2030-01-01\n' * 2,
        "known_issues[1]: 'i' is there twice",
    ),
]

IN_THE_PRODUCT = [
    ('kind = "msi"', 'kind = "exe."', "kind: no choice 'exe.'; did you mean 'exe'?"),
    ('id = "demo"', 'id = "demos"', "the id 'demos' should be 'demo' as the file is called, or the file renamed"),
    ('id = "demo"', 'id = "De mo"', "id: no id 'De mo'; write it in small letters, digits, '.', '_' and '-'"),
    (r"'C:\Program Files\Demo'", r"'Program Files\Demo'", r"install_dir: should be a full Windows path like 'C:\Program Files\Demo' or '{install_dir}\demo.exe'"),
    (r"'C:\Program Files\Demo'", r"'C:\'", "install_dir: should be a folder of the product's own, not a whole drive"),
    ('version = "1.1"', 'version = "1.0"', "versions: version '1.0' is there twice"),
    ('version = "1.1"', 'version = "2.1"', "versions: '2.0' comes after '2.1'; put the oldest first"),
    ('version = "1.1"', 'version = "1 1"', "versions[1].version: no version '1 1'; write it like '1.13.0'"),
    ("demo-1.1.msi", "demo-1.2.msi", "versions[1]: no line for 'demo-1.2.msi' in packages/SHA256SUMS; did you mean 'demo-1.1.msi'?"),
    ('SHA256SUMS"\n\n[rollback]', 'SHA256SUM"\n\n[rollback]', "versions[2]: no file 'SHA256SUM' in packages; did you mean 'SHA256SUMS'?"),
    ("../../packages/demo-1.1", "../packages/demo-1.1", "versions[1]: no folder fixtures/packages with 'demo-1.1.msi' in it; has it been built?"),
    ('file = "../../packages/demo-1.1.msi"', "", "versions[1]: say where the package is in one way: file or url"),
    ('file = "../../packages/demo-1.1.msi"', 'url = "ftp://host/x"', "versions[1].url: should be an address like https://example.com/demo-1.0.msi, without a user name"),
    ("[rollback]\n", "[rollback]\nsha256 = '12'\n", "rollback.sha256: should be a SHA-256: 64 hexadecimal digits"),
    ("[rollback]\n", '[rollback]\nversion = "2.1"\n', "rollback.version: no version '2.1'; did you mean '2.0'?"),
    ("[rollback]\n", '[rollback]\nversion = "1.0"\n', "rollback: there is no older version to come back to"),
    (r"{install_dir}\demo.exe']", r"{install_dri}\demo.exe']", "proofs.files[0]: no placeholder '{install_dri}'; did you mean 'install_dir'?"),
    ("display_name =", "display_nam =", "proofs.uninstall_entry: no key 'display_nam' here; did you mean 'display_name'? (and 1 more)"),
    (', prints = "demo {version}"', "", "proofs.command: say what the command must print in one way: prints or matches"),
    ('prints = "demo {version}"', "matches = '('", "proofs.command.matches: is not a regular expression: missing ), unterminated subpattern at position 0"),
    ("[proofs]\n", "[proofs]\nregistry = [{ key = 'HKML\\SOFTWARE\\X' }]\n", "proofs.registry[0].key: no registry hive 'HKML'; did you mean 'HKLM'?"),
    ("[proofs]\n", '[uninstall]\ncommand = "x"\n[proofs]\n', "an msi is removed by msiexec: it takes no uninstall command"),
    ("[proofs]\n", '[install]\nswitches = "/D={instal_dir}"\n[proofs]\n', "install.switches: no placeholder '{instal_dir}'; did you mean 'install_dir'?"),
    ("[proofs]\n", "[[exit_codes]]\ncode = 5\n[proofs]\n", "exit_codes[0]: should say what the code means: words, response or success"),
    ("[proofs]\n", '[[exit_codes]]\ncode = 5\nresponse = "diskfull"\n[proofs]\n', "exit_codes[0].response: no choice 'diskfull'; did you mean 'diskFull'?"),
    ("[proofs]\n", '[[exit_codes]]\ncode = -1\nwords = "a"\n[[exit_codes]]\ncode = 0xFFFFFFFF\nwords = "b"\n[proofs]\n', "exit_codes: code -1 is there twice"),
    ('kind = "msi"', 'kind = "msi"\nscenarios = ["instal"]', "scenarios[0]: no scenario 'instal'; did you mean 'install'?"),
    ('kind = "msi"', 'kind = "msi"\nadd_to_path = "user"', "add_to_path is for a zip; an installer puts its own folder into PATH"),
]  # fmt: skip


def replaced(file: str, old: str, new: str) -> None:
    """Make one mistake in a file."""
    text = Path(file).read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {file}"
    Path(file).write_text(text.replace(old, new, 1))


def said() -> str:
    """Give the line that reading the matrix ends with."""
    with pytest.raises(AuthoringError) as caught:
        read_matrix(Path(MATRIX), scenarios=SCENARIOS)
    return str(caught.value)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("old", "new", "line"), IN_THE_MATRIX)
def test_a_mistake_in_the_matrix_is_one_line(old: str, new: str, line: str) -> None:
    """The line names the matrix, the key and the nearest right word."""
    replaced(MATRIX, old, new)
    assert said() == f"{MATRIX}: {line}"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("end", "line"), AT_THE_END)
def test_a_skip_or_known_issue_that_means_nothing_is_one_line(end: str, line: str) -> None:
    """A scope with a slip of the pen would silently hide nothing, or not what was meant."""
    Path(MATRIX).write_text(Path(MATRIX).read_text() + end)
    assert said() == f"{MATRIX}: {line}"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("old", "new", "line"), IN_THE_PRODUCT)
def test_a_mistake_in_a_product_is_one_line(old: str, new: str, line: str) -> None:
    """The line names the product's file, not the matrix that led to it."""
    replaced(PRODUCT, old, new)
    assert said() == f"{PRODUCT}: {line}"


@pytest.mark.usefixtures("project")
def test_mistakes_of_the_matrix_and_of_its_products_are_counted_together() -> None:
    """One reading finds them all."""
    replaced(MATRIX, '"upgrade"', '"upgrad"')
    replaced(PRODUCT, 'kind = "msi"', 'kind = "msy"')
    assert said() == f"{MATRIX}: scenarios[1]: no scenario 'upgrad'; did you mean 'upgrade'? (and 1 more)"


@pytest.mark.usefixtures("project")
def test_a_changed_package_is_found() -> None:
    """A package whose hash is not the one written down is never used."""
    Path("packages/demo-2.0.msi").write_bytes(b"something else")
    line = said()
    assert line.startswith(f"{PRODUCT}: versions[2]: packages/demo-2.0.msi has SHA-256 ")
    assert ", not " in line


@pytest.mark.usefixtures("project")
def test_a_missing_package_is_named() -> None:
    """The file that should be there, where, and which one is near."""
    Path("packages/demo-1.1.msi").rename("packages/demo-1.1.exe")
    assert said() == f"{PRODUCT}: versions[1]: no file 'demo-1.1.msi' in packages; did you mean 'demo-1.0.msi'?"


@pytest.mark.usefixtures("project")
def test_a_matrix_can_be_checked_before_its_packages_are_built() -> None:
    """Without ``files`` no package is looked for."""
    for package in Path("packages").iterdir():
        package.unlink()
    assert list(read_matrix(Path(MATRIX), scenarios=SCENARIOS, files=False).cells())


@pytest.mark.usefixtures("project")
def test_a_product_that_supports_none_of_the_scenarios_is_a_mistake() -> None:
    """It would be in the matrix and never be tried."""
    replaced(PRODUCT, 'kind = "msi"', 'kind = "msi"\nscenarios = ["denied"]')
    assert said() == f"{MATRIX}: products[0]: demo supports only denied"


@pytest.mark.usefixtures("project")
def test_without_a_products_folder_the_author_is_told_where_one_is_looked_for(tmp_path: Path) -> None:
    """A product is found by its name beside the matrix's project only."""
    (tmp_path / "fixtures/products/demo.toml").unlink()
    assert said() == f"{MATRIX}: products[0]: no product 'demo' in fixtures/products; there is none"
    (tmp_path / "fixtures/products").rmdir()
    assert "products[0]: no product 'demo'" in said()
