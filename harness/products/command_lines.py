"""Command lines for cmd.exe as text: quoting, and the in-box commands that install and remove."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

MSIEXEC = r"%SystemRoot%\System32\msiexec.exe"
"""Windows Installer where it is: Windows' own list of programs starts it without a look at PATH, too."""


def quoted(path: str) -> str:
    r"""Quote a Windows path for cmd.exe and for the program that gets it: spaces, ``&``, ``^``, ``(`` are inert.

    A ``%NAME%`` inside would be replaced even between quotes; there the quotes end and begin again around each percent
    sign, for no variable is called ``"NAME"`` with its quotes. Backslashes before a closing quote are doubled, or they
    would escape it. Raises ValueError for what no path holds.
    """
    if '"' in path or not path.isprintable() or not path:
        raise ValueError(f"not a path on Windows: {path!r}")
    if path.count("%") < 2:
        return _between_quotes(path)  # cmd.exe leaves a lone percent sign as it is
    return "%".join(_between_quotes(piece) if piece else "" for piece in path.split("%"))


def _between_quotes(text: str) -> str:
    backslashes = len(text) - len(text.rstrip("\\"))
    return f'"{text}{text[len(text) - backslashes :]}"'


def msi_install(package: str, switches: str, log: str | None) -> str:
    """Install or upgrade from a Windows Installer package in the guest."""
    return _joined(f"{MSIEXEC} /i", quoted(package), switches, _msi_log(log))


def msi_uninstall(package_or_code: str, switches: str, log: str | None) -> str:
    """Remove what a package, or a product code in braces, installed."""
    what = package_or_code if package_or_code.startswith("{") else quoted(package_or_code)
    return _joined(f"{MSIEXEC} /x", what, switches, _msi_log(log))


def as_listed(command: str) -> str:
    r"""Make a command that a product registered run as Windows' list of programs runs it, or one in its place.

    The list looks for ``MsiExec.exe`` and its like in System32 first, and cmd.exe only in PATH, which an installer may
    have broken.
    """
    return re.sub(
        r'^\s*"?(msiexec|rundll32)(?:\.exe)?"?(?=\s|$)',
        lambda named: rf"%SystemRoot%\System32\{named[1].lower()}.exe",
        command,
        flags=re.IGNORECASE,
    )


def exe_install(package: str, switches: str) -> str:
    """Run an installer that is a program."""
    return _joined(quoted(package), switches)


def zip_install(folder: str, install_dir: str) -> str:
    """Put an unpacked folder in the product's place; what an older version left there goes first."""
    return f"rmdir /s /q {quoted(install_dir)} 2>nul & xcopy {quoted(folder)} {quoted(install_dir)} /e /i /h /y /q"


def zip_uninstall(install_dir: str) -> str:
    """Remove the product's folder; the exit code says whether it is gone, which rmdir's own does not.

    Folders above it go when nothing is left in them: the copying made them. Windows' own are no matter of the product.
    """
    folder = quoted(install_dir)
    above = "".join(f" & rmdir {quoted(one)} 2>nul" for one in _folders_above(install_dir))
    return f"(if exist {folder} rmdir /s /q {folder}){above} & if exist {folder} (exit /b 5) else exit /b 0"


def _folders_above(folder: str) -> Iterator[str]:
    while (folder := folder.rpartition("\\")[0]).count("\\") and folder.partition("\\")[2].casefold() not in _WINDOWS:
        yield folder


_WINDOWS = ("program files", "program files (x86)", "programdata", "users", "windows", r"windows\system32")


def unpack(archive: str, folder: str) -> str:
    """Unpack a ZIP in the guest with the tar that Windows has had since 2018."""
    return f"(if not exist {quoted(folder)} mkdir {quoted(folder)}) & tar -xf {quoted(archive)} -C {quoted(folder)}"


def set_path(scope: Literal["system", "user"], value: str) -> str:
    """Set the PATH that new log-ons get; ``value`` whole, as the registry holds it."""
    key = {"system": r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment", "user": r"HKCU\Environment"}[
        scope
    ]
    return f"reg add {quoted(key)} /v Path /t REG_EXPAND_SZ /d {quoted(value)} /f"


def _msi_log(log: str | None) -> str:
    return "" if log is None else f"/l*v {quoted(log)}"


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
