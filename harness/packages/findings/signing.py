"""The signature, and whether the file is the one that was declared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from harness.packages.authenticode import Signature
from harness.packages.declared import Declared
from harness.packages.finding import Finding, Severity


def declared_hash(file: Path, declared: Declared) -> Iterator[Finding]:
    """Ask whether it is the file that was declared."""
    if not declared.sha256:
        return
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != declared.sha256.casefold():
        yield Finding(
            code="hash-differs",
            severity=Severity.ERROR,
            sentence=f"{file.name} has SHA-256 {found[:16]}..., not {declared.sha256[:16]}... as declared",
            subject=file.name,
            advice="find out who changed it before anything is installed from it",
        )


def signature(found: Signature | None, declared: Declared, now: datetime, name: str) -> Iterator[Finding]:
    """Ask whether it is signed, by whom it should be, and whether that still counts."""
    if found is None:
        wanted = declared.signed or bool(declared.signer)
        yield Finding(
            code="unsigned",
            severity=Severity.ERROR if wanted else Severity.NOTE,
            sentence=f"{name} is not signed"
            + (", and should be" if wanted else ": Windows names no publisher when it asks for elevation"),
            subject=name,
            advice="sign it" if wanted else "",
        )
        return
    if not found.intact:
        yield _wrong(
            "signature-broken", name, f"its signature by {found.signer} does not hold: {found.problem}", "sign it again"
        )
        return
    if declared.signer and declared.signer.casefold() not in {one.casefold() for one in found.names}:
        says = f"it is signed by {' of '.join(dict.fromkeys(found.names))}, not by {declared.signer} as declared"
        yield _wrong("signer-differs", name, says, "find out where it comes from")
    if not found.is_for_code:
        yield _wrong(
            "signer-not-for-code",
            name,
            f"the certificate of {found.signer} is not made for signing code",
            "sign it with one",
        )
    if not found.counts_on(now):
        yield _wrong("signature-expired", name, _expired(found), "sign it again, with a time stamp")
    elif found.stamped is None:
        why = f" ({found.stamp_problem})" if found.stamp_problem else ""
        yield Finding(
            code="signature-unstamped",
            severity=Severity.WARNING,
            sentence=f"{name}: its signature has no time stamp that counts{why} and ends with its certificate on "
            f"{found.valid_to:%Y-%m-%d}",
            subject=name,
            advice="sign it with a time stamp",
        )
    if found.algorithm in ("md5", "sha1"):
        yield Finding(
            code="signature-weak",
            severity=Severity.WARNING,
            sentence=f"{name} is signed with {found.algorithm.upper()}, which Windows trusts no more for new ones",
            subject=name,
            advice="sign it with SHA-256",
        )
    if found.root in ("unknown", "missing"):
        end = found.chain[-1]
        what = (
            f"the chain of its signer ends at {end}, which is no root of Microsoft's programme"
            if found.root == "unknown"
            else f"the chain of its signer ends at {end}, below any root that is known here"
        )
        yield Finding(
            code="signer-untrusted",
            severity=Severity.WARNING,
            sentence=f"{name}: {what}: machines that were not told about it do not trust the signature",
            subject=end,
            advice="sign it with a certificate of a public authority, or bring its root to the machines",
        )


def _wrong(code: str, name: str, says: str, advice: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, sentence=f"{name}: {says}", subject=name, advice=advice)


def _expired(found: Signature) -> str:
    dates = f"{found.valid_from:%Y-%m-%d} to {found.valid_to:%Y-%m-%d}"
    if found.stamped is not None:
        return f"it was signed on {found.stamped:%Y-%m-%d}, outside its certificate's dates, {dates}"
    return f"its certificate was valid from {dates}, and no time stamp says that it was signed then" + (
        f" ({found.stamp_problem})" if found.stamp_problem else ""
    )
