"""Command lines: what cmd.exe and the program behind it make of them is what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ProductFailed
from harness.products import Product, command_lines, read_product

from .project import PRODUCT

ENVIRONMENT = {"PATH": "C:\\evil", "TEMP": "C:\\t", "A": "expanded"}


def through_cmd(line: str) -> list[str]:
    """Read a command line as cmd.exe does, then as a C program does: percent signs, carets and quotes, arguments.

    Written from Microsoft's rules, independent of the code under test. Fails where cmd.exe would see an operator.
    """
    expanded, rest = "", line
    while rest:
        name, found, after = rest[1:].partition("%") if rest[0] == "%" else ("", "", "")
        if found and name.upper() in ENVIRONMENT:
            expanded, rest = expanded + ENVIRONMENT[name.upper()], after
        else:  # on a command line an unknown variable, and a lone percent sign, stay as they are
            expanded, rest = expanded + rest[0], rest[1:]
    passed, inside, index = "", False, 0
    while index < len(expanded):
        char = expanded[index]
        if char == '"':
            inside = not inside
        elif char == "^" and not inside:
            index += 1
            char = expanded[index]
        else:
            assert inside or char not in "&|<>()", f"cmd.exe would see {char!r}"
        passed, index = passed + char, index + 1
    words, word, inside, backslashes = [], "", False, 0
    for char in passed + " ":
        if char == "\\":
            backslashes += 1
            continue
        if char == '"':
            word += "\\" * (backslashes // 2)
            if backslashes % 2:
                word += '"'
            else:
                inside = not inside
        else:
            word += "\\" * backslashes
            if char == " " and not inside:
                words.append(word)
                word = ""
            else:
                word += char
        backslashes = 0
    assert not inside, "a quote stays open"
    return [one for one in words if one]


paths = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"<>|/?*:') | st.just(" "), min_size=1)
tricky = st.lists(st.sampled_from(["%", "^", "&", " ", "\\", "PATH", "A", "(", ")", "!", "%TEMP%", "é"]), min_size=1)


@given(paths | tricky.map("".join))
def test_a_quoted_path_arrives_as_it_is(name: str) -> None:
    """Whatever a Windows path may hold: spaces, &, ^, %, parentheses, a last backslash."""
    path = f"C:\\{name}"
    assert through_cmd(f"tool {command_lines.quoted(path)} end") == ["tool", path, "end"]


@pytest.mark.parametrize("path", ['C:\\a"b', "C:\\a\nb", "C:\\a\0", ""])
def test_what_no_path_holds_is_refused(path: str) -> None:
    """A quote or a new line would start a command of its own."""
    with pytest.raises(ValueError, match="not a path on Windows"):
        command_lines.quoted(path)


@pytest.fixture
def msi(project: Path) -> Product:
    """Read the project's product."""
    return read_product(project / "fixtures/products/demo.toml")


def of_kind(project: Path, kind: str, *more: str) -> Product:
    """Make the project's product one of another kind, with more lines."""
    file = project / "fixtures/products/demo.toml"
    text = PRODUCT.replace('kind = "msi"', f'kind = "{kind}"').replace("[proofs]", "\n".join([*more, "[proofs]"]))
    file.write_text(text)
    return read_product(file)


def test_an_msi_is_installed_silently_with_a_log(msi: Product) -> None:
    """No window, no restart of its own, and a log that says why."""
    command = msi.install_command("2.0", r"C:\a b\demo & co.msi", log=r"C:\logs\i.log")
    assert command == r'%SystemRoot%\System32\msiexec.exe /i "C:\a b\demo & co.msi" /qn /norestart /l*v "C:\logs\i.log"'


@pytest.mark.parametrize(
    ("registered", "run"),
    [
        ("MsiExec.exe /X{1} /qn", r"%SystemRoot%\System32\msiexec.exe /X{1} /qn"),
        ('"msiexec" /x{1}', r"%SystemRoot%\System32\msiexec.exe /x{1}"),
        (r"rundll32 C:\a.dll,Remove", r"%SystemRoot%\System32\rundll32.exe C:\a.dll,Remove"),
        (r'"C:\Program Files\Demo\uninstall.exe" /S', None),
        (r"C:\Tools\msiexec.exe /x", None),
        ("msiexec-helper.exe /x", None),
    ],
)
def test_a_registered_removal_finds_windows_own_programs_as_windows_does(registered: str, run: str | None) -> None:
    """Whatever an installer made of PATH, its removal is run as a person's click would run it."""
    assert command_lines.as_listed(registered) == (run or registered)


def test_an_msi_is_removed_by_its_code_or_its_package(msi: Product) -> None:
    """A product code needs no package; without either there is nothing to go by."""
    by_package = r'%SystemRoot%\System32\msiexec.exe /x "C:\demo.msi" /qn /norestart'
    assert msi.uninstall_command("2.0", r"C:\demo.msi") == by_package
    code = "{22EA7650-4AC6-4001-BF29-F4B8775DB1C0}"
    coded = msi.model_copy(update={"versions": (msi.versions[0].model_copy(update={"product_code": code}),)})
    by_code = rf'%SystemRoot%\System32\msiexec.exe /x {code} /qn /norestart /l*v "C:\u.log"'
    assert coded.uninstall_command("1.0", log=r"C:\u.log") == by_code
    with pytest.raises(ValueError, match="guest_path is missing"):
        msi.uninstall_command("2.0")


def test_an_exe_takes_its_own_switches(project: Path) -> None:
    """They are passed as written, with the placeholders filled."""
    plain = of_kind(project, "exe")
    assert plain.install_command("2.0", r"C:\setup.exe") == r'"C:\setup.exe" /S'
    inno = of_kind(project, "exe", "[install]", """switches = '/VERYSILENT /LOG="{log}" /DIR="{install_dir}"'""")
    command = inno.install_command("2.0", r"C:\setup.exe", log=r"C:\i.log")
    assert command == r'"C:\setup.exe" /VERYSILENT /LOG="C:\i.log" /DIR="C:\Program Files\Demo"'


def test_an_exe_is_removed_as_it_registered_or_as_declared(project: Path) -> None:
    """The quiet command as it is, the loud one with the silent switches; one that registered none has failed."""
    exe = of_kind(project, "exe")
    loud, quiet = {"UninstallString": r'"C:\x\u.exe"'}, {"quietuninstallstring": r'"C:\x\u.exe" /quiet'}
    assert exe.uninstall_command("2.0", registered=loud) == r'"C:\x\u.exe" /S'
    assert exe.uninstall_command("2.0", registered={**loud, **quiet}) == r'"C:\x\u.exe" /quiet'
    with pytest.raises(ProductFailed, match="registered no command"):
        exe.uninstall_command("2.0", registered={"DisplayName": "Demo"})
    declared = of_kind(project, "exe", "[uninstall]", """command = '"{install_dir}\\u.exe" /S'""")
    assert declared.uninstall_command("2.0", registered=quiet) == r'"C:\Program Files\Demo\u.exe" /S'


def test_a_zip_is_copied_and_removed_with_what_windows_has(project: Path) -> None:
    """An upgrade replaces the folder: what only the old version had must not stay."""
    unpacked = of_kind(project, "zip")
    assert unpacked.install_command("2.0", r"C:\staged") == (
        r'rmdir /s /q "C:\Program Files\Demo" 2>nul & xcopy "C:\staged" "C:\Program Files\Demo" /e /i /h /y /q'
    )
    assert unpacked.uninstall_command("2.0") == (
        r'(if exist "C:\Program Files\Demo" rmdir /s /q "C:\Program Files\Demo") & '
        r'if exist "C:\Program Files\Demo" (exit /b 5) else exit /b 0'
    )
    deeper = unpacked.model_copy(update={"install_dir": r"C:\Program Files\Acme\Tools\Demo"})
    assert r' & rmdir "C:\Program Files\Acme\Tools" 2>nul & rmdir "C:\Program Files\Acme" 2>nul & if' in (
        deeper.uninstall_command("2.0")
    )
    assert unpacked.path_command("C:\\Windows", present=True) is None


def test_a_zips_folder_is_put_into_path_once_and_taken_out(project: Path) -> None:
    """Other entries stay as they are; nothing is written where nothing changes."""
    file = project / "fixtures/products/demo.toml"
    text = PRODUCT.replace('kind = "msi"', 'kind = "zip"\nadd_to_path = "user"')
    file.write_text(text)
    product = read_product(file)
    before, after = r"%SystemRoot%\system32;C:\x", r"%SystemRoot%\system32;C:\x;C:\Program Files\Demo"
    assert product.path_command(before, present=True) == (
        rf'reg add "HKCU\Environment" /v Path /t REG_EXPAND_SZ /d {command_lines.quoted(after)} /f'
    )
    assert product.path_command(after, present=True) is None
    assert product.path_command(before, present=False) is None
    assert command_lines.quoted(before) in str(product.path_command(after + "\\", present=False))
    assert [entry.folder for entry in product.proofs_of("2.0").path] == [r"C:\Program Files\Demo"]
