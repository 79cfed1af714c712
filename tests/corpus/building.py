"""Building the corpus: each installer from a template and the parts that are special about it."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from fixtures.payloads import msi, wheels
from tests.corpus.table import HERE, Installer, Parts

OLD, NEW = "1.11.1", "1.13.0"
WHEELS = HERE.parents[1] / "build" / "payloads" / "wheels"
TOOLS = ("makensis", "wixl", "msibuild")
HAS_OLD = ("upgrade", "rollback", "downgrade")


def missing_tools() -> list[str]:
    """Name the tools that are not here."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class Workshop:
    """Builds into a folder, from real programs: two versions of Ninja."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        pins = {pin.version: pin for pin in wheels.pinned("ninja")}
        self._programs = {version: wheels.unpack(pins[version], WHEELS).resolve() for version in (OLD, NEW)}
        self._crippled = folder / "needs-a-dll.exe"
        self._crippled.write_bytes(without_a_dll(self._programs[NEW].read_bytes(), b"KERNEL32.dll"))
        self._agent = folder / "agent.exe"
        _run("makensis", "-V1", f"-DOUTPUT={self._agent}", str(HERE / "agent.nsi"))

    def build(self, wanted: list[Installer]) -> None:
        """Build every package of these installers, two at a time."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._build, wanted))

    def packages(self, installer: Installer) -> dict[str, Path]:
        """Name the packages of an installer by ``old``, ``new`` and ``fails``."""
        ending = {"nsis": "exe", "msi": "msi", "zip": "zip"}[installer.form]
        needed = ["old"] * (installer.scenario in HAS_OLD) + ["new"] + ["fails"] * (installer.scenario == "rollback")
        return {which: self.folder / f"{installer.name}-{which}.{ending}" for which in needed}

    def _build(self, installer: Installer) -> None:
        which_parts = {"old": installer.old, "new": installer.parts, "fails": installer.fails}
        make = {"nsis": self._nsis, "msi": self._msi, "zip": self._zip}[installer.form]
        for which, package in self.packages(installer).items():
            make(installer, which_parts[which], which, package)

    def _program(self, parts: Parts, which: str) -> Path:
        if parts.needs_missing_dll:
            return self._crippled
        return self._programs[parts.says_version or (OLD if which == "old" else NEW)]

    def _nsis(self, installer: Installer, parts: Parts, which: str, package: Path) -> None:
        seams = {
            "TITLE": parts.title or installer.title,
            "FOLDER": installer.folder,
            "KEY": parts.key or installer.name,
            "HIVE": "HKCU" if installer.per_user else "HKLM",
            "SHELL": "current" if installer.per_user else "all",
            **{seam.upper(): getattr(parts, seam) for seam in _NSIS_SEAMS},
        }
        script = package.with_suffix(".nsi")
        script.write_text(_filled("corpus.nsi", seams), "utf-8")
        defines = {
            "VERSION": OLD if which == "old" else NEW,
            "PROGRAM": self._program(parts, which),
            "AGENT": self._agent,
            "OUTPUT": package,
            which.upper(): "",
        }
        _run("makensis", "-V1", *(f"-D{name}={value}" for name, value in defines.items()), str(script))
        if parts.broken_setup:
            package.write_bytes(without_a_dll(package.read_bytes(), b"SHELL32.dll"))

    def _msi(self, installer: Installer, parts: Parts, which: str, package: Path) -> None:
        version = OLD if which == "old" else NEW
        body = parts.components + parts.directories
        seams = {
            "TITLE": parts.title or installer.title,
            "FOLDER": installer.title,
            "VERSION": version,
            "PRODUCT_CODE": msi.guid("corpus", installer.name, which),
            "UPGRADE_CODE": msi.guid("corpus", installer.name, parts.upgrade_code or "upgrade"),
            "PROGRAM_COMPONENT": msi.guid("corpus", installer.name, "program"),
            "NINJA": self._program(parts, which).name,
            "REFERENCES": "".join(
                f'<ComponentRef Id="{name}"/>' for name in re.findall(r'<Component Id="(\w+)"', body)
            ),
            **{seam.upper(): getattr(parts, seam) for seam in _MSI_SEAMS},
        }
        with TemporaryDirectory(dir=self.folder) as scratch:
            source = Path(scratch, "product.wxs")
            source.write_text(_with_guids(_filled("corpus.wxs", seams), installer.name), "utf-8")
            # several programs of one name, and the agent beside them
            shutil.copy(self._program(parts, which), scratch)
            shutil.copy(self._agent, scratch)
            msi.compile_msi(source, package, {}, files=Path(scratch))
        rows = [*parts.rows]
        if parts.variables:
            rows += msi.environment({f"Row{n}": (*one, "Program") for n, one in enumerate(parts.variables)})
        if which == "fails":
            rows += msi.fail_half_way(f"{installer.title} could not finish its setup.")
        msi.add_rows(package, [msi.remove_old_inside_the_transaction(), *rows])

    def _zip(self, installer: Installer, parts: Parts, which: str, package: Path) -> None:  # noqa: ARG002 - as the others
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(self._program(parts, which), "ninja.exe")
            for member in parts.members:
                archive.writestr(member, f"this is {member}")
        if parts.is_cut:
            package.write_bytes(package.read_bytes()[: package.stat().st_size // 2])


_NSIS_SEAMS = ("top", "first", "last", "refused", "uninstall_first", "uninstall_last")
_MSI_SEAMS = ("product", "program", "components", "directories")


def without_a_dll(program: bytes, dll: bytes) -> bytes:
    """Make a program need a DLL that no Windows has, in the place of one that it needs."""
    other = dll[:-6] + b"99" + dll[-4:]
    found = re.sub(re.escape(dll), other, program, flags=re.IGNORECASE)
    if found == program:
        raise ValueError(f"the program does not need {dll.decode()}")
    return found


def _filled(template: str, seams: dict[str, str]) -> str:
    text = (HERE / template).read_text("utf-8")
    return re.sub(r"@([A-Z_]+)@", lambda seam: seams[seam[1]], text)


def _with_guids(source: str, name: str) -> str:
    """Give each component without a GUID one that stays the same over versions."""
    return re.sub(
        r'<Component Id="(\w+)"(?! Guid)',
        lambda found: f'<Component Id="{found[1]}" Guid="{msi.guid("corpus", name, found[1])}" Win64="yes"',
        source,
    )


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
