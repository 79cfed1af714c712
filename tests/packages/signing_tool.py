"""A certificate made on the spot, and osslsigncode to sign with it."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Signer:
    """A signer in a folder, with a certificate of an authority of its own, valid between two days from now."""

    def __init__(
        self,
        folder: Path,
        key: Key | None = None,
        *,
        days: tuple[int, int] = (-10, 300),
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
    ) -> None:
        folder.mkdir(exist_ok=True)
        own_key = key or rsa.generate_private_key(65537, 2048)
        root_key = rsa.generate_private_key(65537, 2048)
        root = _certificate("Our Root", root_key, "Our Root", root_key, (-3000, 3000), None)
        own = _certificate("Demo Signer", own_key, "Our Root", root_key, days, usage)
        self.folder, self.certificates, self.key = folder, folder / "chain.pem", folder / "key.pem"
        self.certificates.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (own, root)))
        form, open_key = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self.key.write_bytes(own_key.private_bytes(serialization.Encoding.PEM, form, open_key))
        self._made = 0

    def sign(self, file: Path, *options: str) -> Path:
        """Sign a file; gives the signed copy."""
        self._made += 1
        made = self.folder / f"signed-{self._made}{file.suffix}"
        made.unlink(missing_ok=True)
        keys = ["-certs", str(self.certificates), "-key", str(self.key)]
        words = ["sign", *keys, *options, "-in", str(file), "-out", str(made)]
        subprocess.run(["osslsigncode", *words], check=True, capture_output=True)
        return made


def sign(content: bytes, suffix: str, folder: Path) -> bytes:
    """Sign some bytes that are a file of a kind."""
    plain = folder / f"to-be-signed{suffix}"
    plain.write_bytes(content)
    return Signer(folder / "signer").sign(plain).read_bytes()


def _certificate(
    name: str, key: Key, issuer: str, issuer_key: Key, days: tuple[int, int], usage: x509.ObjectIdentifier | None
) -> x509.Certificate:
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    if usage is not None:
        # a time stamping authority's usage must be critical (RFC 3161)
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=usage == ExtendedKeyUsageOID.TIME_STAMPING)
    return made.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    common = x509.NameAttribute(NameOID.COMMON_NAME, name)
    return x509.Name([common, x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Us")])
