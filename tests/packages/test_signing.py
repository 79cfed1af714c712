"""Signatures of programs and packages, made by osslsigncode: intact, broken, expired, stamped, by somebody else."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import cms  # type: ignore[import-untyped]  # has no types
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness.packages.declared import Declared
from harness.packages.inspection import inspect
from harness.packages.program import read_program
from harness.packages.signed_part import signature_of_compound, signature_of_program
from tests.packages.signing_tool import NOW, Signer
from tests.packages.tiny_program import tiny_program
from tests.packages.wares import Bench

KINDS = ("exe", "msi", "msi with directory")


@pytest.fixture(scope="module")
def files(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Lay out a program and a package to be signed."""
    if shutil.which("osslsigncode") is None:
        pytest.skip("osslsigncode not found")
    program = tmp_path_factory.mktemp("program") / "demo.exe"
    program.write_bytes(tiny_program(overlay=b"more" * 300))
    package = bench.package("to-sign")
    return {"exe": program, "msi": package, "msi with directory": package}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """Set up a signer whose certificate is valid now."""
    return Signer(tmp_path_factory.mktemp("signer"))


def options(kind: str) -> Sequence[str]:
    """Name what osslsigncode needs to sign a kind."""
    return ["-add-msi-dse"] if kind == "msi with directory" else []


def codes(file: Path, declared: Declared | None = None, *, now: datetime = NOW) -> set[str]:
    """Name the findings about a file's signature."""
    seen = inspect(file, declared=declared or Declared(), now=now)
    return {found.code for found in seen.findings if found.code.startswith(("sign", "unsigned", "hash"))}


@pytest.mark.parametrize("kind", KINDS)
def test_an_intact_signature_is_read_with_its_chain(kind: str, files: dict[str, Path], signer: Signer) -> None:
    """The signer, the chain up to the root and the dates are the certificate's; an unknown root is said to be one."""
    signed = signer.sign(files[kind], *options(kind))
    found = signature_of_program(signed, read_program(signed)) if kind == "exe" else signature_of_compound(signed)
    assert found is not None
    assert (found.intact, found.signer, found.chain) == (True, "Demo Signer", ("Demo Signer", "Our Root"))
    assert (found.root, found.stamped, found.algorithm) == ("unknown", None, "sha256")
    assert codes(signed) == {"signature-unstamped", "signer-untrusted"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_byte_breaks_the_signature(kind: str, files: dict[str, Path], signer: Signer) -> None:
    """Whatever is changed after signing is noticed, however small."""
    signed = signer.sign(files[kind], *options(kind))
    content = bytearray(signed.read_bytes())
    place = content.index(b"moremore") if kind == "exe" else content.index(b"MSCF") + 2000
    content[place + 1] ^= 1
    changed = signed.with_name(f"changed-{signed.name}")
    changed.write_bytes(content)
    assert codes(changed) == {"signature-broken"}


def test_a_signature_of_somebody_else_is_broken(files: dict[str, Path], signer: Signer) -> None:
    """The hashes may be right: without the signer's key the signature is none."""
    signed = signer.sign(files["exe"])
    content = signed.read_bytes()
    program = read_program(signed)
    message = cms.ContentInfo.load(content[program.certificates[0] + 8 :])["content"]
    value = message["signer_infos"][0]["signature"].native
    forged = signed.with_name("forged.exe")
    forged.write_bytes(content.replace(value, value[:-1] + bytes([value[-1] ^ 1])))
    assert codes(forged) == {"signature-broken"}


def test_an_elliptic_curve_signs_as_well(files: dict[str, Path], tmp_path: Path) -> None:
    """Keys of both kinds are verified."""
    signed = Signer(tmp_path, ec.generate_private_key(ec.SECP256R1())).sign(files["exe"])
    assert "signature-broken" not in codes(signed)


def test_a_signature_ends_with_its_certificate_unless_it_is_stamped(
    files: dict[str, Path], signer: Signer, tmp_path: Path
) -> None:
    """A time stamp from while the certificate was valid keeps the signature good afterwards."""
    later = NOW + timedelta(days=1000)
    assert "signature-expired" in codes(signer.sign(files["exe"]), now=later)
    stamper = Signer(tmp_path, days=(-10, 2000), usage=ExtendedKeyUsageOID.TIME_STAMPING)
    stamps = ["-TSA-certs", str(stamper.certificates), "-TSA-key", str(stamper.key)]
    stamped = signer.sign(files["exe"], *stamps)
    assert codes(stamped, now=later) == {"signer-untrusted"}
    found = signature_of_program(stamped, read_program(stamped))
    assert found is not None
    assert found.stamped is not None
    assert abs(found.stamped - NOW) < timedelta(hours=1)


def test_a_signer_who_may_not_sign_code_is_found(files: dict[str, Path], tmp_path: Path) -> None:
    """A certificate for servers signs nothing that Windows takes."""
    signer = Signer(tmp_path, usage=ExtendedKeyUsageOID.SERVER_AUTH)
    assert "signer-not-for-code" in codes(signer.sign(files["exe"]))


def test_weak_digests_and_other_signers_are_found(files: dict[str, Path], signer: Signer) -> None:
    """What is declared of the signer is held against the certificate, by name or by organisation."""
    assert "signature-weak" in codes(signer.sign(files["exe"], "-h", "sha1"))
    signed = signer.sign(files["exe"])
    assert "signer-differs" not in codes(signed, Declared(signer="demo signer"))
    assert "signer-differs" not in codes(signed, Declared(signer="Us"))
    assert "signer-differs" in codes(signed, Declared(signer="Somebody Else"))


def test_a_file_that_must_be_signed_and_is_not_is_an_error(files: dict[str, Path]) -> None:
    """Undeclared, a missing signature is only noted."""
    (noted,) = [one for one in inspect(files["exe"]).findings if one.code == "unsigned"]
    (wrong,) = [one for one in inspect(files["exe"], declared=Declared(signed=True)).findings if one.code == "unsigned"]
    assert (noted.severity, wrong.severity) == ("note", "error")


def test_another_file_than_declared_is_found(files: dict[str, Path]) -> None:
    """The hash is compared whatever the file is."""
    right = hashlib.sha256(files["msi"].read_bytes()).hexdigest()
    assert "hash-differs" not in codes(files["msi"], Declared(sha256=right))
    assert "hash-differs" in codes(files["msi"], Declared(sha256="0" * 64))
