"""The sequence of actions in one log: which failed first, what it was nested in, and how long each took."""

from __future__ import annotations

from dataclasses import replace

from harness.installer_logs.reading import FailedAction
from harness.installer_logs.things import ROUTINE, is_custom
from harness.installer_logs.timing import Timing

_FAILED, _CANCELLED, _DONE, _NOTHING = 3, 2, 1, 0
_DEEPEST = 8


class Sequence:
    """Follows the starts and ends of actions.

    Windows ends what fails with the value 3, innermost first. Wine ends it with 0, as it does what had nothing to do:
    there the actions that end with 0 directly before the whole does are taken for the ones that failed.
    """

    def __init__(self) -> None:
        self.timing = Timing()
        self.failed: FailedAction | None = None
        self.windows = False
        self.over = False
        self._unwinding = False
        self._nothings: list[tuple[str, int]] = []
        self._custom: tuple[str, int] | None = None

    def returned(self, custom: str, code: int) -> None:
        """Note that a custom action ended with an error code."""
        self._custom = (custom, code)

    def start(self, name: str, at: float) -> bool:
        """Begin an action; true when it can only be the rollback, which Wine begins when all is over."""
        rolls_back = self.over and not self.windows and self.failed is not None
        self._nothings.clear()
        self._unwinding = False
        self.timing.start(name, at, deferred="InstallFinalize" in self.timing.running)
        if name == "INSTALL":
            self.over = False
        return rolls_back

    def end(self, name: str, value: int, at: float, line: int) -> bool:
        """End an action with its value; true when this is how the failure shows first."""
        if name == "InstallFinalize":
            self.timing.step("", at)
        self.timing.end(name, at)
        fails = False
        if value == _FAILED or (value == _CANCELLED and not self._unwinding):
            self.windows = True
            fails = self._fails(name, line)
        elif value == _NOTHING and not self.windows:
            self._nothings.append((name, line))
            if name == "INSTALL":
                for failed, where in self._nothings[:_DEEPEST]:
                    fails = self._fails(failed, where) or fails
                self._nothings.clear()
        else:
            self._nothings.clear()
            self._unwinding = False
        if name == "INSTALL":
            self.over = True
            if value == _DONE and "INSTALL" not in self.timing.running:
                self.failed = None  # what failed within it was let pass
        return fails

    def _fails(self, name: str, line: int) -> bool:
        if self.failed is not None and (self._unwinding or not self.windows):
            if len(self.failed.within) < _DEEPEST and name != self.failed.name:
                self.failed = replace(self.failed, within=(*self.failed.within, name))
            return False
        self._unwinding = True
        custom, code = self._custom or ("", None)
        nested = bool(custom) and name in ROUTINE
        action = custom if nested else name
        self.failed = FailedAction(
            name=action,
            line=line,
            custom=is_custom(action),
            exit_code=code if action == custom else None,
            within=(name,) if nested else (),
        )
        return True
