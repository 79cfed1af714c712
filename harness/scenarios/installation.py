"""The product's life on a guest: what every scenario does with it, in verbs, each judged and each with its log kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError, Hung, MachineFailed, ProductFailed
from harness.exit_codes import ExitMeaning, shown
from harness.expectations import Cause, Finding
from harness.expectations.wording import program
from harness.guest.state import EVERYTHING, SOFTWARE, Scope
from harness.products.command_lines import MSIEXEC
from harness.results.result import Fault
from harness.scenarios import user_files
from harness.scenarios.bringing import Brought, carry_out
from harness.scenarios.commands import Commands
from harness.scenarios.endings import ending
from harness.scenarios.examination import OWN_ROOTS, Begins, Examination
from harness.scenarios.file_version import version_of_another
from harness.scenarios.proving import entries_of, entry_proof, missing_proofs, present_files
from harness.scenarios.removing import wait_until_removed

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.guest.outcome import Outcome
    from harness.guest.state import State
    from harness.products import Package, Product, UserFile, UserValue
    from harness.scenarios.telling import Keeper

_PROBE = r"C:\Program Files\wincompat-probe.txt"
_PROBE_KEY = r"HKLM\SOFTWARE\wincompat-probe"
_GONE = (1605, 1614)  # unknown product, product is uninstalled


class Installation:
    """A product on a guest. Whatever it does not do as it should raises ProductFailed in one sentence.

    ``scope`` is how far its states go; ``brought`` is what another account's Installation has in the guest already.
    """

    def __init__(
        self,
        guest: Guest,
        product: Product,
        evidence: Keeper,
        begins: Begins,
        *,
        scope: Scope = EVERYTHING,
        brought: Brought | None = None,
    ) -> None:
        self.guest = guest
        self.product = product
        self.evidence = evidence
        self.examination = Examination(guest, product, evidence, begins, scope=scope)
        self._begins = begins
        self._commands = Commands(guest, product, evidence)
        self._brought = brought or Brought(guest, product)

    def bring(self, version: str) -> str:
        """Bring a version's package into the guest, a ZIP unpacked, and return where it is; again costs nothing."""
        return self._brought.place_of(self.product.package(version))

    def install(self, version: str, *, over: str | None = None) -> None:
        """Install a version silently, over an older one or not."""
        package = self.product.package(version)
        outcome, meaning, reason = self._run_installer(version, package, f"install-{version}")
        if not meaning.success:
            what = f"{version} was not installed" if over is None else f"{over} was not upgraded to {version}"
            code = "not-installed" if over is None else "not-upgraded"
            self._blame(f"{what}: {self._commands.ended(outcome, meaning, reason)}", meaning, code=code)
        self._put_on_path(present=True)
        self._may_ask_for_a_restart(f"the installation of {version}", meaning)

    def fail_half_way(self, version: str) -> None:
        """Upgrade with the package that fails half-way; it must say so."""
        outcome, meaning, reason = self._run_installer(version, self.product.rollback_package(), f"fail-{version}")
        if meaning.success:
            raise ProductFailed(
                f"the upgrade to {version} fails half-way and hides it: it ended with {shown(outcome.exit_code)}",
                code="failure-hidden",
            )
        if meaning.fault in (Fault.SITE, Fault.HARNESS):
            self._blame(
                f"the upgrade to {version} did not even begin: {self._commands.ended(outcome, meaning, reason)}",
                meaning,
                code="not-upgraded",
            )
        self.evidence.note(f"the upgrade that must fail did: {self._commands.ended(outcome, meaning, reason)}")

    def is_refused(self, version: str) -> None:
        """Try to install where that is not allowed; an honest exit code is the answer, and no dialog."""
        outcome, meaning, reason = self._run_installer(version, self.product.package(version), f"refused-{version}")
        if meaning.success:
            raise ProductFailed(
                f"{self.guest.account} was not refused: the installation of {version} ended with "
                f"{shown(outcome.exit_code)}",
                code="not-refused",
            )
        self.evidence.note(f"refused: {self._commands.ended(outcome, meaning, reason)}")

    def goes_back(self, version: str, *, over: str) -> bool:
        """Try to install an older version over a newer one, and tell whether that was refused.

        Where the product's file allows it, it has to go well; where not, that it is done is a finding.
        """
        ended = self._run_installer(version, self.product.package(version), f"downgrade-{version}")
        meaning, words = ended[1], self._commands.ended(*ended)
        allowed = self.product.downgrade == "allowed"
        if meaning.success:
            self._put_on_path(present=True)
            self._may_ask_for_a_restart(f"the downgrade to {version}", meaning)
            if not allowed:
                told = f"the downgrade from {over} to {version} was not refused: {words}"
                found = Finding(code="downgrade-not-refused", cause=Cause.PACKAGING, sentence=told, subject=version)
                self.examination.add(found)
            return False
        if allowed or meaning.fault in (Fault.SITE, Fault.HARNESS) or meaning.cause == "crash at start":
            self._blame(f"{over} was not replaced by {version}: {words}", meaning, code="not-installed")
        self.evidence.note(f"the downgrade was refused: {words}")
        return True

    # --- prove

    def prove(self, version: str, *, when: str = "", seen: State | None = None) -> None:
        """Hold the guest, or its state that was just taken, against all that the product's file says of a version."""
        lacking = missing_proofs(self.guest, self.product, version, seen=seen)
        if lacking:
            claim = f"{version} is not there any more {when}" if when else f"{version} does not prove itself"
            code = "gone-after-failed-upgrade" if when else "not-proven"
            if not when and (going := self.examination.went_on):
                lacking += [f"{', '.join(going)} went on after the installer had ended: it returned before it was done"]
            raise ProductFailed(f"{claim}: {'; '.join(lacking)}", code=code)
        if seen is not None:
            proofs, package = self.product.proofs_of(version), self.product.package(version)
            if found := version_of_another(self.guest, proofs, package, version, seen):
                self.examination.add(found)

    def replaced(self, old: str, *, by: str) -> None:
        """Make sure that an upgrade took the old version away: its own files and its entry in the list of programs."""
        before, now = self.product.proofs_of(old), self.product.proofs_of(by)
        only_old = before.model_copy(update={"files": tuple(sorted(set(before.files) - set(now.files)))})
        left = [f"{path} is still there" for path in present_files(self.guest, only_old)]
        entry, successor = before.uninstall_entry, now.uninstall_entry
        if entry is not None and successor is not None and entry.display_name != successor.display_name:
            left += (
                f"{one.title!r} is still registered"
                for one in entries_of(self.guest.state(replace(SOFTWARE, hives=(entry.account,))), entry)
            )
        if left:
            raise ProductFailed(f"{by} did not replace {old}: {'; '.join(left)}", code="not-replaced")

    # --- uninstall

    def uninstall(self, version: str) -> None:
        """Remove a version silently, the way its kind is removed."""
        log = self._commands.log(f"uninstall-{version}")
        package = None
        if self.product.kind == "msi":
            package = self._brought.place_of(self.product.package(version))
        registered = self.registered_removal(version) if self.product.kind == "exe" else None
        command = self.product.uninstall_command(version, package, registered=registered, log=log)
        self._remove(command, version, log)

    def registered_removal(self, version: str) -> Mapping[str, str]:
        """Read what Windows' list of programs holds to uninstall the product: the values of its entry."""
        proof = entry_proof(self.guest, self.product, version)
        if proof is None:
            raise HarnessError(
                f"{self.product.id} names no uninstall_entry in its proofs, so its registered removal cannot be found"
            )
        found = entries_of(self.guest.state(replace(SOFTWARE, hives=(proof.account,))), proof)
        if len(found) != 1:
            words = f"{proof.display_name!r} is registered {len(found)} times in Windows' list of programs"
            raise ProductFailed(words, code="not-registered-once")
        return found[0].values

    def remove(self, registered: Mapping[str, str], version: str) -> None:
        """Remove a version as it is registered, with the switches that keep it silent."""
        log = self._commands.log(f"uninstall-{version}")
        self._remove(self._registered_command(registered, version, log), version, log)

    def is_not_there_any_more(self, registered: Mapping[str, str], version: str) -> None:
        """Uninstall again what is gone; that must be refused, with 1605 where Windows Installer answers."""
        log = self._commands.log(f"uninstall-{version}-again")
        outcome, meaning, _ = self._commands.run(self._registered_command(registered, version, log), log)
        if meaning.success:
            words = f"a second removal of {version} claims success ({shown(outcome.exit_code)})"
            raise ProductFailed(words, code="second-removal")
        if self.product.kind == "msi" and outcome.exit_code not in _GONE:
            raise ProductFailed(
                f"a second removal of {version} should end with 1605 (not installed), not with {meaning.code} "
                f"({meaning.words})",
                code="second-removal",
            )

    # --- what a person made

    def make_user_files(self, version: str) -> tuple[UserFile, ...]:
        """Make the files that a person would have, as the product's file says."""
        made = self.product.user_files_of(version)
        if not made:
            self.evidence.note(f"{self.product.id} names no user_files: what a person made was not looked at")
        user_files.make(self.guest, made)
        return made

    def kept(self, files: tuple[UserFile, ...], *, after: str) -> None:
        """Make sure that a person's files are there and as they were."""
        user_files.look_for(self.guest, files, after=after)

    def set_user_values(self, version: str) -> tuple[UserValue, ...]:
        """Set the registry values that a person would have, as the product's file says."""
        values = self.product.user_values_of(version)
        user_files.set_values(self.guest, values)
        return values

    def kept_values(self, values: tuple[UserValue, ...], *, after: str) -> None:
        """Make sure that a person's settings are there and as they were."""
        user_files.look_for_values(self.guest, values, after=after)

    def as_a_standard_user(self) -> Installation:
        """Give the same product to the standard account, proven limited first: a write must be refused.

        Raises MachineFailed when the account may write among the programs, for then a refusal would prove nothing.
        """
        limited = self.guest.as_account("standard")
        probe = limited.run(
            f'(echo probe>"{_PROBE}") & if exist "{_PROBE}" (del "{_PROBE}" & exit /b 9) else exit /b 5'
        )
        if probe.exit_code == 9:
            raise MachineFailed(
                rf"the standard account {limited.account!r} may write to C:\Program Files",
                machine=self.guest.machine,
                advice="take it out of the administrators, or name another account in the site file",
            )
        self.evidence.note(rf"{limited.account} is limited: a write to C:\Program Files was refused")
        if limited.run(f"reg add {_PROBE_KEY} /f").ok:
            limited.run(f"reg delete {_PROBE_KEY} /f")
            self.evidence.note(
                rf"this guest lets {limited.account} write to HKLM (a lab guest has no access control there): what is "
                "left in the registry is not judged"
            )
            self.examination.judges_registry = False
        own = Scope(roots=OWN_ROOTS, hives=("user",))
        return Installation(limited, self.product, self.evidence, self._begins, scope=own, brought=self._brought)

    def _run_installer(self, version: str, package: Package, name: str) -> tuple[Outcome, ExitMeaning, str]:
        there = self._brought.place_of(package)
        log = self._commands.log(name)
        self.examination.watch(package)
        return self._commands.run(self.product.install_command(version, there, log=log), log, package)

    def _remove(self, command: str, version: str, log: str) -> None:
        self.examination.uninstaller = program(command) if self.product.kind == "exe" else ""
        outcome, meaning, reason = self._commands.run(command, log)
        if not meaning.success:
            words = f"{version} was not uninstalled: {self._commands.ended(outcome, meaning, reason)}"
            self._blame(words, meaning, code="not-uninstalled")
        self._may_ask_for_a_restart(f"the removal of {version}", meaning)
        self._put_on_path(present=False)
        settle = self.product.uninstall.settle
        if settle or self.product.kind == "exe":
            proofs = self.product.proofs_of(version)
            try:
                wait_until_removed(
                    self.guest,
                    lambda: settle and present_files(self.guest, proofs),
                    command=command,
                    within=settle or self.product.deadline or 60.0,
                )
            except Hung:
                self.evidence.ended(ending(f"uninstall-{version}", None))
                raise

    def _may_ask_for_a_restart(self, what: str, meaning: ExitMeaning) -> None:
        if not meaning.reboot:
            return
        self.examination.restart_asked = True
        words = f"{what} asks for a restart ({shown(meaning.code)})"
        if self.product.declares_restart(meaning.code):
            self.evidence.note(words)
        else:
            words += ", which the product's file does not declare"
            self.examination.add(Finding(code="reboot-asked", cause=Cause.REBOOT, sentence=words, subject=what))

    def _registered_command(self, registered: Mapping[str, str], version: str, log: str) -> str:
        if self.product.kind != "msi":
            return self.product.uninstall_command(version, registered=registered, log=log)
        loud = registered.get("uninstallstring", "")
        code = re.search(r"\{[0-9A-Fa-f-]{36}\}", loud)
        if code is None:
            words = f"{version} registered no command to uninstall it (UninstallString is {loud!r})"
            raise ProductFailed(words, code="no-removal-registered")
        # Windows' list starts "MsiExec.exe /I{code}" or /X, which asks what to do: the same removal without questions
        return f'{MSIEXEC} /x {code[0]} /qn /norestart /l*v "{log}"'

    def _put_on_path(self, *, present: bool) -> None:
        if self.product.add_to_path is None:
            return
        state = self.guest.state(SOFTWARE)
        current = (state.system_path if self.product.add_to_path == "system" else state.user_path).entries
        command = self.product.path_command(";".join(current), present=present)
        if command is not None:
            carry_out(self.guest, command)

    def _blame(self, words: str, meaning: ExitMeaning, *, code: str) -> None:
        if meaning.fault is Fault.SITE:
            raise MachineFailed(words, machine=self.guest.machine, advice="look at the guest: the product never began")
        if meaning.fault is Fault.HARNESS:
            raise HarnessError(words)
        raise ProductFailed(words, code=code)
