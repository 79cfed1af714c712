"""Whom the vCenter client trusts: a pinned certificate and no other, before any credential is said."""

from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path

import pytest

from harness.errors import SiteUnreachable
from harness.machines.vcenter import connected
from harness.site import Site, VCenter

from .sites import PASSWORD, site
from .sockets import certificate, listening


def thumbprint_of(pem: Path) -> str:
    """Tell the SHA-256 thumbprint of a certificate, plain."""
    text = pem.read_text("ascii")
    certificate = text[text.index("-----BEGIN CERTIFICATE-----") :]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


def pinned_to(site: Site, thumbprint: str, **more: object) -> Site:
    """Pin the site's vCenter, without its CA unless told."""
    words = {"host": site.vcenter.host, "port": site.vcenter.port, "user": site.vcenter.user, "ca_file": None}
    address = VCenter.model_validate(
        {**words, "password": site.vcenter.password, "thumbprint": thumbprint, **more}, strict=False
    )
    return site.model_copy(update={"vcenter": address})


@pytest.fixture(scope="session")
def lab_thumbprint(lab_site: Site) -> str:
    """Look at the certificate that the lab's vCenter shows."""
    return thumbprint_text(ssl.get_server_certificate((lab_site.vcenter.host, lab_site.vcenter.port)))


def thumbprint_text(pem: str) -> str:
    """Tell the thumbprint of a certificate as vSphere shows it."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[place : place + 2] for place in range(0, 64, 2))


def test_the_pinned_certificate_is_enough(lab_site: Site, lab_thumbprint: str) -> None:
    """With the thumbprint no CA is needed, for SOAP and for everything else that goes to the vCenter."""
    with connected(pinned_to(lab_site, lab_thumbprint)) as vcenter:
        machine = vcenter.machine(lab_site.machines[0])
        assert machine.path == lab_site.machines[0].path
        assert vcenter.about.is_lab


def test_a_ca_beside_the_thumbprint_has_to_verify_too(lab_site: Site, lab_thumbprint: str, tmp_path: Path) -> None:
    """Each of the two can refuse."""
    with connected(pinned_to(lab_site, lab_thumbprint, ca_file=lab_site.vcenter.ca_file)) as vcenter:
        assert vcenter.about.is_lab
    other = certificate(tmp_path)
    with (
        pytest.raises(SiteUnreachable, match="its certificate does not verify"),
        connected(pinned_to(lab_site, lab_thumbprint, ca_file=other)),
    ):
        pytest.fail("it connected")


def test_another_certificate_is_told_nothing(tmp_path: Path) -> None:
    """Whoever else answers at the address sees a handshake and its end: no request, no user, no password."""
    pem = certificate(tmp_path)
    heard: list[bytes] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            heard.append(secured.recv(1 << 16))

    wrong = "00" * 32
    with listening(serve) as port:
        told = site(tmp_path, port=port)
        (tmp_path / "vcenter.secret").write_text(PASSWORD)
        with pytest.raises(SiteUnreachable) as raised, connected(pinned_to(told, wrong)):
            pytest.fail("it connected")
    found = ":".join(thumbprint_of(pem).upper()[place : place + 2] for place in range(0, 64, 2))
    assert f"it is not the pinned vCenter: its SHA-256 thumbprint is {found}" in str(raised.value)
    assert "compare it with the certificate" in str(raised.value)
    assert heard in ([], [b""])
