"""The corpus as a user would have it: a folder with products, matrices and the packages beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tests.corpus.building import NEW, OLD, Workshop
from tests.corpus.table import Installer

_KINDS = {"nsis": "exe", "msi": "msi", "zip": "zip"}


def write_project(folder: Path, wanted: list[Installer]) -> list[Path]:
    """Build these installers and write their product files and a matrix for each build; gives the matrices."""
    packages, products, matrices = folder / "packages", folder / "fixtures" / "products", folder / "matrices"
    for place in (packages, products, matrices):
        place.mkdir(parents=True)
    workshop = Workshop(packages)
    workshop.build(wanted)
    for installer in wanted:
        (products / f"{installer.name}.toml").write_text(_product(installer, workshop.packages(installer)), "utf-8")
    return [
        _matrix(matrices / f"corpus-{build}.toml", build, [one for one in wanted if one.build == build])
        for build in sorted({one.build for one in wanted})
    ]


def _product(installer: Installer, packages: dict[str, Path]) -> str:
    lines = [
        f'id = "{installer.name}"',
        f'name = "{installer.title}"',
        f'kind = "{_KINDS[installer.form]}"',
        f"install_dir = '{installer.folder}'",
        f'scenarios = ["{installer.scenario}"]',
        installer.keys,
    ]
    for which, package in packages.items():
        heading = "[rollback]" if which == "fails" else "[[versions]]"
        version = OLD if which == "old" else NEW
        sha256 = hashlib.sha256(package.read_bytes()).hexdigest()
        lines += [heading, f'version = "{version}"', f"file = '{package}'", f'sha256 = "{sha256}"']
    lines += ["[proofs]", r"files = ['{install_dir}\ninja.exe']"]
    if installer.form != "zip":
        lines += ["[proofs.uninstall_entry]", f'display_name = "{installer.title}"', installer.proofs]
    lines += ["[proofs.command]", r"""run = '"{install_dir}\ninja.exe" --version'""", 'prints = "{version}"']
    if installer.form == "nsis":
        lines += ["[uninstall]", "settle = 20.0", "[[exit_codes]]", "code = 5", 'words = "a write was refused"']
        lines += ["refused = true"]
    return "\n".join([*lines, installer.tables, ""])


def _matrix(file: Path, build: str, wanted: list[Installer]) -> Path:
    listed = {
        "name": f"corpus {build}",
        "builds": [int(build)],
        "products": [one.name for one in wanted],
        "scenarios": _once(one.scenario for one in wanted),
        "deadline": 300,
    }
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in listed.items()), "utf-8")
    return file


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
