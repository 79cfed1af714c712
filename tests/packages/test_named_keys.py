"""Registry keys that packages name: in the tables of an MSI, and in the packed script of an NSIS installer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.payloads import msi
from harness.packages.named_keys import named_keys
from harness.packages.nsis_script import strings_of
from harness.packages.program import read_program
from tests.packages.tiny_program import tiny_program
from tests.packages.wares import Bench

SCRIPT = r"""
Unicode {unicode}
Name "Demo"
OutFile "{output}"
{compressor}
Section
  WriteRegStr HKLM "SOFTWARE\Microsoft\Demo Host" "Path" "$INSTDIR"
  WriteRegStr HKCR "TypeLib\{{4D9E0F7B-11AA-4B6C-9E1C-0A4B5C6D7E8F}}" "" "Demo"
  nsExec::Exec 'reg add "HKCU\Software\Demo Tool" /v a /f'
  File "{program}"
SectionEnd
"""


@pytest.mark.parametrize("unicode", ["true", "false"])
@pytest.mark.parametrize(
    "compressor", ["SetCompressor zlib", "SetCompressor lzma", "SetCompressor /SOLID zlib", "SetCompressor /SOLID lzma"]
)
def test_an_nsis_installer_names_the_keys_of_its_script(compressor: str, unicode: str, tmp_path: Path) -> None:
    """However it is packed, the keys of its script are found, with the names of values; bzip2 alone is not read."""
    if shutil.which("makensis") is None:
        pytest.skip("makensis (Debian: nsis) not found")
    program = tmp_path / "demo.txt"
    program.write_bytes(b"SOFTWARE\\Not\\Of\\The\\Script\0" * 500)
    script, output = tmp_path / "demo.nsi", tmp_path / "demo.exe"
    script.write_text(SCRIPT.format(unicode=unicode, output=output, compressor=compressor, program=program), "utf-8")
    subprocess.run(["makensis", "-V1", str(script)], check=True, capture_output=True)
    found = {key.path: key.values for key in named_keys(output, "exe")}
    assert "path" in found[r"HKLM\SOFTWARE\Microsoft\Demo Host"]
    assert r"HKLM\SOFTWARE\Classes\TypeLib\{4D9E0F7B-11AA-4B6C-9E1C-0A4B5C6D7E8F}" in found
    assert r"HKCU\Software\Demo Tool" in found
    assert r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Demo Host" in found, "an installer of 32 bits"
    assert not any("Not" in path for path in found)


def test_an_msi_names_the_keys_of_its_tables(bench: Bench) -> None:
    """Its Registry table, with the values, and what its custom actions' command lines write out."""
    wrote = msi.insert("CustomAction", "WriteIt", 3106, "INSTALLDIR", 'reg.exe add "HKLM\\Software\\Host" /v a /d b /f')
    found = {key.path: key.values for key in named_keys(bench.package("keys", [wrote]), "msi")}
    assert found == {r"HKLM\Software\Demo": {"version"}, r"HKLM\Software\Host": frozenset()}


def test_any_other_program_names_the_keys_that_stand_in_it(tmp_path: Path) -> None:
    """Under the machine's key and the account's where no root is written before them, and values by their names."""
    file = tmp_path / "plain.exe"
    file.write_bytes(tiny_program(overlay=b"\0Software\\Microsoft\\Demo Host\\Plug-ins\0DemoViewer\0"))
    keys = {key.path: key.values for key in named_keys(file, "exe")}
    assert list(keys) == [rf"{hive}\Software\Microsoft\Demo Host\Plug-ins" for hive in ("HKLM", "HKCU")]
    assert all("demoviewer" in values and "another" not in values for values in keys.values())


def test_other_files_name_nothing(tmp_path: Path) -> None:
    """A program without such texts, a damaged one, and what is no program at all: nothing, and no error."""
    plain, damaged, none = tmp_path / "plain.exe", tmp_path / "damaged.exe", tmp_path / "none.exe"
    plain.write_bytes(tiny_program())
    damaged.write_bytes(tiny_program(overlay=b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst" + b"\xff" * 200))
    none.write_bytes(b"MZ")
    assert [named_keys(file, "exe") for file in (plain, damaged, none)] == [(), (), ()]
    assert named_keys(plain, "zip") == ()
    assert strings_of(read_program(plain)) == frozenset()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"\x5d\x00\x00\xff\xff\x00", b"\xff\xff\xff\xff\x5d\x00\x00\x00\xff\x00"]),
)
def test_any_script_is_read_without_an_error(tmp_path: Path, packed: bytes, start: bytes) -> None:
    """Whatever follows the mark of an NSIS installer, and however much room its stream claims to need."""
    file = tmp_path / "demo.exe"
    file.write_bytes(tiny_program(overlay=b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst" + bytes(8) + start + packed))
    assert all(len(one) >= 3 for one in strings_of(read_program(file)))
