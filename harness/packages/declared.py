"""What somebody declared of a package, for it to be held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a package should be; an empty field is not checked.

    ``sha256``: lower-case hexadecimal. ``signed``: whether it must carry a signature. ``signer``: the name or
    organisation in the signer's certificate. ``switches``: how it is called to be silent. ``architecture``: of the
    machines it is for, ``x64``, ``x86`` or ``arm64``.
    """

    sha256: str = ""
    version: str = ""
    signed: bool = False
    signer: str = ""
    switches: str | None = None
    architecture: str = "x64"
