"""What the exit codes of one product mean, in its author's words or in those of winget's manifests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.authoring import Authored, Flag, Text
from harness.errors import Fault
from harness.exit_codes import Cause, ExitMeaning, signed

# what winget manifests call the response to an exit code (ExpectedReturnCodes), and what it says here
RESPONSES: Mapping[str, str] = {
    "packageInUse": "the product is in use",
    "packageInUseByApplication": "the product is in use by another program",
    "installInProgress": "another installation is in progress",
    "fileInUse": "a file is in use",
    "missingDependency": "something that it needs is missing",
    "diskFull": "the disk is full",
    "insufficientMemory": "not enough memory",
    "invalidParameter": "a parameter is wrong",
    "noNetwork": "it needs a network",
    "contactSupport": "failed; its maker asks to be contacted",
    "rebootRequiredToFinish": "done, and Windows must be restarted",
    "rebootRequiredForInstall": "Windows must be restarted before it can be installed",
    "rebootInitiated": "done, and Windows is being restarted",
    "cancelledByUser": "cancelled, as if by a person",
    "alreadyInstalled": "another version is already installed",
    "downgrade": "a newer version is already installed",
    "blockedByPolicy": "forbidden by policy",
    "systemNotSupported": "this Windows is not supported",
    "custom": "failed",
}
# the class of cause of those that name one, and those that are the machine's own state and no fault of the product
_CAUSES: Mapping[str, Cause] = {
    "packageInUse": "in use",
    "packageInUseByApplication": "in use",
    "fileInUse": "in use",
    "installInProgress": "environment",
    "diskFull": "environment",
    "insufficientMemory": "environment",
    "noNetwork": "environment",
    "missingDependency": "packaging",
    "rebootRequiredToFinish": "reboot",
    "rebootRequiredForInstall": "reboot",
    "rebootInitiated": "reboot",
    "cancelledByUser": "cancelled",
    "blockedByPolicy": "permission",
    "systemNotSupported": "compatibility",
}
_OF_THE_MACHINE = ("installInProgress", "diskFull")
Response = Literal[
    "packageInUse", "packageInUseByApplication", "installInProgress", "fileInUse", "missingDependency", "diskFull",
    "insufficientMemory", "invalidParameter", "noNetwork", "contactSupport", "rebootRequiredToFinish",
    "rebootRequiredForInstall", "rebootInitiated", "cancelledByUser", "alreadyInstalled", "downgrade",
    "blockedByPolicy", "systemNotSupported", "custom",
]  # fmt: skip


class ExitCode(Authored):
    """What an exit code of this product means, in ``words`` or as winget's manifests say it (``response``)."""

    code: Annotated[int, Field(strict=True, ge=-(2**31), lt=2**32)]
    words: Text | None = None
    response: Response | None = None
    success: Flag | None = None
    reboot: Flag | None = None
    refused: Flag | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ExitCode:
        if self.words is None and self.response is None and self.success is None:
            raise ValueError("should say what the code means: words, response or success")
        return self

    @property
    def meaning(self) -> ExitMeaning:
        """The meaning as the harness uses it."""
        finished = self.response in ("rebootRequiredToFinish", "rebootInitiated")
        success = finished if self.success is None else self.success
        reboot = (self.response or "").startswith("reboot") if self.reboot is None else self.reboot
        refused = self.response == "blockedByPolicy" if self.refused is None else self.refused
        words = self.words or RESPONSES.get(self.response or "", "done" if success else "failed")
        return ExitMeaning(
            code=signed(self.code),
            name=self.response or "",
            words=words,
            success=success,
            reboot=reboot,
            refused=refused and not success,
            fault=Fault.NOBODY if success else Fault.SITE if self.response in _OF_THE_MACHINE else Fault.PRODUCT,
            cause=_CAUSES.get(self.response or "", ""),
        )
