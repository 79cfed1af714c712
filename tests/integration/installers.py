"""Installers with one habit each, built with makensis."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

# Each is an ordinary NSIS installer around one line of misbehaviour.
ASKS = 'MessageBox MB_OK "Have you closed all other programs?"'  # no /SD: it waits for a person, also when silent
TAKES_LONG = "Sleep 60000"

_SOURCE = """
Unicode true
Target amd64-unicode
Name "Habit"
OutFile "{output}"
InstallDir "$PROGRAMFILES64\\Habit"
RequestExecutionLevel admin
Page instfiles
Section
  {habit}
  SetOutPath "$INSTDIR"
  File "/oname=$INSTDIR\\habit.txt" "{source}"
SectionEnd
"""

_PRODUCT = """
id = "habit"
name = "Habit"
kind = "exe"
install_dir = 'C:\\Program Files\\Habit'
deadline = {deadline}
[[versions]]
version = "1.0"
file = "../../habit.exe"
sha256 = "{sha256}"
[uninstall]
command = 'rd /s /q "{{install_dir}}"'
[proofs]
files = ['{{install_dir}}\\habit.txt']
"""

_MATRIX = """
name = "habit"
builds = [{builds}]
products = ["habit"]
scenarios = ["install"]
"""


def write_project(folder: Path, habit: str, *, deadline: float, builds: str = "22631") -> Path:
    """Make a project with one product that has this habit; gives its matrix."""
    source = folder / "habit.nsi"
    output = folder / "habit.exe"
    source.write_text(_SOURCE.format(output=output, habit=habit, source=source), "utf-8")
    subprocess.run(["makensis", "-V1", str(source)], check=True)
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    products, matrices = folder / "fixtures" / "products", folder / "matrices"
    products.mkdir(parents=True)
    matrices.mkdir()
    (products / "habit.toml").write_text(_PRODUCT.format(deadline=deadline, sha256=sha256), "utf-8")
    matrix = matrices / "habit.toml"
    matrix.write_text(_MATRIX.format(builds=builds), "utf-8")
    return matrix
