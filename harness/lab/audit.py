"""Who touched what: a line for each call, command and change of power, from which a crowd's doings can be judged.

``audit.jsonl`` in the lab's folder. Each line has ``time`` (UTC), ``by`` (``vcenter``, ``winrm``, ``lab``, ``fault``),
``what`` (the method, the WS-Man action, the event or the fault) and ``machine`` (empty when it concerns none).
A vCenter's line has ``client`` (the session's key), ``user`` and ``agent``; a WinRM line ``client`` (the connection),
``user``, ``agent`` and for commands ``line``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

#: Characters of a command line that are kept.
_LONGEST = 2000


class Audit:
    """The lab's own record; without a path it keeps nothing. No secret that it was told of is ever written."""

    def __init__(self, path: Path | None = None, *, secrets: Iterable[str] = ()) -> None:
        # a line is one append: whoever reads meanwhile sees whole lines only
        self._file = path.open("a", buffering=1, encoding="utf-8") if path is not None else None
        self._secrets = [secret for secret in secrets if secret]

    def note(self, by: str, what: str, *, machine: str = "", **more: str) -> None:
        """Write a line; what is empty is left out, but for the machine."""
        if self._file is None:
            return
        line = {"time": datetime.now(UTC).isoformat(), "by": by, "what": what, "machine": machine}
        line.update({name: self._without_secrets(text[:_LONGEST]) for name, text in more.items() if text})
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """End the record; later notes are not kept."""
        if self._file is not None:
            self._file.close()
            self._file = None
