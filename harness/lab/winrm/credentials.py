"""Who may come in: the guest's accounts, and the file from which NTLM answers are checked."""

from __future__ import annotations

import hmac
import os
import socket
from collections.abc import Iterable
from pathlib import Path

from harness.lab.guest import LabAccount
from harness.lab.windows import computer_name

USER_FILE_VARIABLE = "NTLM_USER_FILE"


def write_user_file(path: Path, accounts: Iterable[LabAccount], machines: Iterable[str]) -> None:
    r"""Write the accounts where NTLM looks them up, readable by the owner alone, and name the file to this process.

    Every form that Windows takes gets its line: ``user``, ``.\user``, ``MACHINE\user``, ``user@MACHINE``. The file is
    read anew for each log-in, so it may be written again when a machine is added. Raises ValueError for a name or
    password that the file's format cannot hold.
    """
    names = sorted({name for machine in machines for name in (machine, computer_name(machine))})
    # clients that were given no domain answer with the one that the challenge names
    domains = ["", ".", "WORKSTATION", socket.gethostname(), *names]
    lines = []
    for account in accounts:
        if any(mark in account.name + account.password for mark in ":\r\n\0"):
            raise ValueError(f"account {account.name!r}: neither name nor password may hold a colon or a line break")
        lines += [f"{domain}:{account.name}:{account.password}" for domain in domains]
        lines += [f":{account.name}@{name}:{account.password}" for name in names]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    fresh.replace(path)
    os.environ[USER_FILE_VARIABLE] = str(path)


class Credentials:
    """The accounts of one guest, found by any name that Windows takes for them."""

    def __init__(self, accounts: Iterable[LabAccount], machine: str) -> None:
        self._accounts = {account.name.casefold(): account for account in accounts}
        self._domains = {"", ".", machine.casefold(), computer_name(machine).casefold()}

    def named(self, user: str) -> LabAccount | None:
        """Find the account of a name that NTLM has already proved; its domain was checked against the file."""
        return self._accounts.get(self._split(user)[1])

    def verified(self, user: str, password: str) -> LabAccount | None:
        """Find the account if name and password are right; a wrong name takes as long as a wrong password."""
        domain, name = self._split(user)
        account = self._accounts.get(name) if domain in self._domains else None
        expected = account.password if account is not None else ""
        same = hmac.compare_digest(expected.encode(), password.encode("utf-8", "surrogatepass"))
        return account if account is not None and same else None

    @staticmethod
    def _split(user: str) -> tuple[str, str]:
        if "\\" in user:
            domain, _, name = user.partition("\\")
        else:
            name, _, domain = user.partition("@")
        return domain.casefold(), name.casefold()
