"""What is under test, as one TOML file says: its versions, how it is installed and removed, how it proves itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness import authoring
from harness.authoring import Authored, Seconds, Text
from harness.errors import AuthoringError, ProductFailed
from harness.exit_codes import ExitMeaning, explain, shown, signed
from harness.mistakes import nearest
from harness.products import command_lines
from harness.products.declared import DEFAULT_SWITCHES, Install, ProductId, Rollback, Uninstall, Version
from harness.products.exit_code import ExitCode
from harness.products.leftovers import LeftoverGlob, as_glob, literally
from harness.products.packages import Package, PackageSource, Progress
from harness.products.placeholders import filled, filled_in
from harness.products.proofs import PathEntry, Proofs, UserFile, UserValue, WindowsPath


class Product(Authored):
    """What is under test: one file in ``fixtures/products/``, versions from the oldest to the newest."""

    id: ProductId
    name: Text
    kind: Literal["msi", "exe", "zip"]
    install_dir: WindowsPath
    versions: tuple[Version, ...] = Field(min_length=1)
    proofs: Proofs
    install: Install = Install()
    uninstall: Uninstall = Uninstall()
    rollback: Rollback | None = None
    exit_codes: tuple[ExitCode, ...] = ()
    leftovers_allowed: tuple[LeftoverGlob, ...] = ()
    stays_running: tuple[Text, ...] = ()
    user_files: tuple[UserFile, ...] = ()
    user_values: tuple[UserValue, ...] = ()
    add_to_path: Literal["system", "user"] | None = None
    downgrade: Literal["refused", "allowed"] = "refused"
    scenarios: tuple[Text, ...] | None = None
    deadline: Seconds | None = None

    @field_validator("install_dir")
    @classmethod
    def _plain_folder(cls, text: str) -> str:
        if "{" in text or "%" in text:
            raise ValueError("should be a folder written out in full: it is where placeholders come from")
        if len(text.rstrip("\\")) < 4:
            raise ValueError("should be a folder of the product's own, not a whole drive")
        return text.rstrip("\\")

    @field_validator("versions")
    @classmethod
    def _ascending(cls, versions: tuple[Version, ...]) -> tuple[Version, ...]:
        for older, newer in pairwise(versions):
            if older.version == newer.version:
                raise ValueError(f"version {newer.version!r} is there twice")
            if order(older.version) >= order(newer.version):
                raise ValueError(f"{newer.version!r} comes after {older.version!r}; put the oldest first")
        return versions

    @field_validator("exit_codes")
    @classmethod
    def _each_code_once(cls, codes: tuple[ExitCode, ...]) -> tuple[ExitCode, ...]:
        twice = [code for code, times in Counter(one.meaning.code for one in codes).items() if times > 1]
        if twice:
            raise ValueError(f"code {shown(twice[0])} is there twice")
        return codes

    @field_validator("scenarios")
    @classmethod
    def _each_scenario_once(cls, scenarios: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if scenarios is not None and (twice := [one for one, times in Counter(scenarios).items() if times > 1]):
            raise ValueError(f"scenario {twice[0]!r} is there twice")
        return scenarios

    @model_validator(mode="after")
    def _kind_fits(self, info: ValidationInfo) -> Product:
        stem = (info.context or {}).get("stem")
        if stem is not None and stem != self.id:
            raise ValueError(f"the id {self.id!r} should be {stem!r} as the file is called, or the file renamed")
        if self.kind == "zip" and (self.install.switches or self.uninstall.switches or self.uninstall.command):
            raise ValueError("a zip has no installer: it takes no switches and no uninstall command")
        if self.kind == "msi" and self.uninstall.command:
            raise ValueError("an msi is removed by msiexec: it takes no uninstall command")
        if self.kind != "zip" and self.add_to_path:
            raise ValueError("add_to_path is for a zip; an installer puts its own folder into PATH")
        if self.kind != "msi" and any(one.product_code for one in self.versions):
            raise ValueError("only an msi has product codes")
        known = self.version_texts
        if self.rollback is not None and self.rollback.version not in (None, *known):
            raise ValueError(
                f"rollback.version: no version {self.rollback.version!r}; {nearest(self.rollback.version or '', known)}"
            )
        if self.rollback is not None and (self.rollback.version or known[-1]) == known[0]:
            raise ValueError("rollback: there is no older version to come back to")
        return self

    # --- versions and packages

    @property
    def version_texts(self) -> tuple[str, ...]:
        """The versions, oldest first."""
        return tuple(one.version for one in self.versions)

    @property
    def newest(self) -> str:
        """The newest version."""
        return self.versions[-1].version

    @property
    def older(self) -> tuple[str, ...]:
        """Every version but the newest, oldest first."""
        return self.version_texts[:-1]

    @property
    def rollback_leg(self) -> tuple[str, str] | None:
        """The version to come back to and the version whose upgrade fails half-way, or None without such a package."""
        if self.rollback is None:
            return None
        failing = self.rollback.version or self.newest
        return self.version_texts[self.version_texts.index(failing) - 1], failing

    @property
    def downgrade_leg(self) -> tuple[str, str] | None:
        """The newest version and the one before, which is installed over it, or None where there is one only."""
        return (self.newest, self.older[-1]) if self.older else None

    def package(self, version: str, *, progress: Progress | None = None) -> Package:
        """Give a version's package, downloaded where needed, its hash verified; raises AuthoringError, SiteError."""
        return self._package(f"versions[{self.version_texts.index(version)}]", self._version(version), progress)

    def rollback_package(self, *, progress: Progress | None = None) -> Package:
        """Give the package that fails half-way; raises AuthoringError where there is none, SiteError."""
        if self.rollback is None:
            raise AuthoringError(f"{self.id}: the key 'rollback' is missing: a package that fails half-way")
        return self._package("rollback", self.rollback, progress)

    def check_files(self, *, hashes: bool = True) -> list[str]:
        """Check every package file without a network; gives the mistakes in the author's words."""
        sources: dict[str, PackageSource] = {f"versions[{index}]": one for index, one in enumerate(self.versions)}
        if self.rollback is not None:
            sources["rollback"] = self.rollback
        mistakes = []
        for place, source in sources.items():
            try:
                source.check(hashes=hashes)
            except ValueError as error:
                mistakes.append(f"{place}: {error}")
        return mistakes

    # --- command lines, as text for cmd.exe

    def install_command(self, version: str, guest_path: str, *, log: str | None = None) -> str:
        """Install or upgrade to a version from its package in the guest; a ZIP from the folder it was unpacked to."""
        if self.kind == "zip":
            return command_lines.zip_install(guest_path, self.install_dir)
        switches = self._filled(self._install_switches, version, log)
        if self.kind == "msi":
            return command_lines.msi_install(guest_path, switches, log)
        return command_lines.exe_install(guest_path, switches)

    def uninstall_command(
        self,
        version: str,
        guest_path: str | None = None,
        *,
        registered: Mapping[str, str] | None = None,
        log: str | None = None,
    ) -> str:
        """Remove a version.

        An MSI goes by its product code, else by its package at ``guest_path``. An EXE goes by its declared command,
        else by what it ``registered``: the values of its uninstall entry, of which QuietUninstallString is taken as it
        is and UninstallString with the silent switches. Raises ProductFailed where an EXE registered neither.
        """
        if self.kind == "zip":
            return command_lines.zip_uninstall(self.install_dir)
        switches = self._filled(self._uninstall_switches, version, log)
        if self.kind == "msi":
            what = self._version(version).product_code or guest_path
            if what is None:
                raise ValueError("an msi without a product code is removed by its package: guest_path is missing")
            return command_lines.msi_uninstall(what, switches, log)
        if self.uninstall.command is not None:
            return self._filled(self.uninstall.command, version, log)
        values = {name.casefold(): value for name, value in (registered or {}).items()}
        if quiet := values.get("quietuninstallstring"):
            return command_lines.as_listed(quiet)
        if loud := values.get("uninstallstring"):
            return command_lines.as_listed(f"{loud} {switches}".strip())
        raise ProductFailed(
            "the product registered no command to uninstall it (UninstallString)", code="no-removal-registered"
        )

    def unpack_command(self, guest_path: str, folder: str) -> str:
        """Unpack a ZIP's package into a folder of the guest, with its tar."""
        return command_lines.unpack(guest_path, folder)

    def path_command(self, current: str, *, present: bool) -> str | None:
        """Put a ZIP's folder into PATH or take it out, given PATH's current value; None where nothing is to do."""
        if self.add_to_path is None:
            return None
        others = [
            one for one in current.split(";") if one and one.rstrip("\\").casefold() != self.install_dir.casefold()
        ]
        wanted = ";".join([*others, self.install_dir] if present else others)
        return None if wanted == current else command_lines.set_path(self.add_to_path, wanted)

    # --- what it shows

    def proofs_of(self, version: str) -> Proofs:
        """Give the proofs with their placeholders filled for a version."""
        proofs = self.proofs
        if self.add_to_path is not None:
            entry = PathEntry(scope=self.add_to_path, folder=self.install_dir)
            proofs = proofs.model_copy(update={"path": (*proofs.path, entry)})
        return filled_in(proofs, self._values(version))

    def user_files_of(self, version: str) -> tuple[UserFile, ...]:
        """Give the files of a person that an upgrade must keep, with their placeholders filled."""
        return tuple(filled_in(one, self._values(version)) for one in self.user_files)

    def user_values_of(self, version: str) -> tuple[UserValue, ...]:
        """Give the registry values of a person that an upgrade must keep, with their placeholders filled."""
        return tuple(filled_in(one, self._values(version)) for one in self.user_values)

    def meaning(self, exit_code: int, *, log_kind: str = "") -> ExitMeaning:
        """Tell what an exit code of this product's installer means: the product's own words first, then Windows'.

        ``log_kind`` is what the installer's log showed an EXE to be (``nsis``, ``inno-setup``, ``burn``), for they have
        codes of their own.
        """
        kind = log_kind if self.kind == "exe" and log_kind else self.kind
        return self._own_meanings.get(signed(exit_code)) or explain(exit_code, kind)

    def declares_restart(self, exit_code: int) -> bool:
        """Tell whether the product's file says of an exit code that a restart is wanted with it."""
        own = self._own_meanings.get(signed(exit_code))
        return own is not None and own.reboot

    def allows_leftover(self, trace: str) -> bool:
        """Tell whether a path or registry key may stay after the removal; ``*`` spans folders.

        What may stay in a folder may stay with the folder, and a folder with what is in it. ``%APPDATA%`` and its kin
        mean those of every account.
        """
        values = self._values(self.newest)
        globs = [
            as_glob(filled(one, values, literally)).casefold().removesuffix("\\*") for one in self.leftovers_allowed
        ]
        return any(fnmatchcase(trace.casefold(), form) for glob in globs for form in (glob, f"{glob}\\*"))

    # ---

    @cached_property
    def _own_meanings(self) -> Mapping[int, ExitMeaning]:
        return {one.meaning.code: one.meaning for one in self.exit_codes}

    @property
    def _install_switches(self) -> str:
        return DEFAULT_SWITCHES[self.kind] if self.install.switches is None else self.install.switches

    @property
    def _uninstall_switches(self) -> str:
        return DEFAULT_SWITCHES[self.kind] if self.uninstall.switches is None else self.uninstall.switches

    def _values(self, version: str) -> dict[str, str]:
        return {"version": version, "install_dir": self.install_dir}

    def _filled(self, text: str, version: str, log: str | None) -> str:
        return filled(text, {**self._values(version), "log": log or "nul"})

    def _version(self, version: str) -> Version:
        found = next((one for one in self.versions if one.version == version), None)
        if found is None:
            raise AuthoringError(f"{self.id}: no version {version!r}; {nearest(version, self.version_texts)}")
        return found

    def _package(self, place: str, source: PackageSource, progress: Progress | None) -> Package:
        try:
            return source.package(progress=progress)
        except ValueError as error:
            raise AuthoringError(f"{self.id}: {place}: {error}") from error


def order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Make versions comparable: 1.10 after 1.9, 1.24rc1 before 1.24, 1.24 before 1.24.0."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    numbers = [(2, int(part), "") if part.isdigit() else (0, 0, part.casefold()) for part in parts]
    return (*numbers, (1, 0, ""))


def read_product(path: Path) -> Product:
    """Read a product file; raises AuthoringError with one line."""
    return authoring.read(path, Product)
