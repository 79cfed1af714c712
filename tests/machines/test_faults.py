"""What a vCenter that is away, silent or untrusted looks like: one line that says what to do."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from harness.errors import AuthoringError, SiteUnreachable
from harness.machines.vcenter import connected
from harness.site import Site

from .sites import PASSWORD, site
from .sockets import certificate, closed_port, https_server, listening, silent


def refused(wanted: Site) -> SiteUnreachable:
    """Connect, and hand over the one-line error; nothing of the secret is in it or its traceback."""
    with pytest.raises(SiteUnreachable) as raised, connected(wanted):
        pytest.fail("it connected")
    assert "\n" not in str(raised.value)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))
    return raised.value


def test_a_port_nobody_listens_on(tmp_path: Path) -> None:
    """A vCenter that is not there is named with host and port, and what to check."""
    port = closed_port()
    assert str(refused(site(tmp_path, port=port))) == (
        f"vCenter 127.0.0.1:{port}: connecting: [Errno 111] Connection refused; "
        "check vcenter.host and vcenter.port, and that the vCenter is up and reachable from here"
    )


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    """A host name that means nothing is one line too."""
    assert "vCenter vcenter.invalid:443: connecting: " in str(refused(site(tmp_path, host="vcenter.invalid")))


def test_a_vcenter_that_accepts_and_never_answers(tmp_path: Path) -> None:
    """Silence ends with the request budget; SmartConnect would wait for ever."""
    with listening(silent) as port:
        error = refused(site(tmp_path, port=port, request=0.3))
    assert error.problem == "connecting: no answer within 0.3 s"


def test_a_vcenter_that_falls_silent_after_the_handshake(tmp_path: Path) -> None:
    """TLS that comes up and then says nothing ends with the request budget too."""
    pem = certificate(tmp_path)
    with listening(https_server(pem, None)) as port:
        error = refused(site(tmp_path, port=port, ca_file=pem, request=2))
    assert error.problem == "connecting: no answer within 2 s"


def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    """TLS is verified by default, and the line says where to name the CA."""
    with listening(https_server(certificate(tmp_path), b"")) as port:
        error = refused(site(tmp_path, port=port))
    assert "its certificate does not verify: self-signed certificate" in error.problem
    assert error.advice == "name the file of its CA in vcenter.ca_file"


def test_a_certificate_of_another_ca(tmp_path: Path) -> None:
    """When a CA file is named and does not fit, the line names that file."""
    other = tmp_path / "other"
    other.mkdir()
    ca = certificate(other)
    with listening(https_server(certificate(tmp_path), b"")) as port:
        error = refused(site(tmp_path, port=port, ca_file=ca))
    assert error.advice == f"check that {ca} is its CA"


def test_something_that_is_no_vcenter(tmp_path: Path) -> None:
    """A web server that is no vCenter is told apart from one that is down."""
    pem = certificate(tmp_path)
    with listening(https_server(pem, b"<html>hello</html>")) as port:
        error = refused(site(tmp_path, port=port, ca_file=pem))
    assert "no API version known here" in error.problem
    assert error.advice == "check that vcenter.host and vcenter.port name a vCenter"


def test_plain_http_where_tls_is_expected(tmp_path: Path) -> None:
    """A server that does not speak TLS is one line."""
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert "connecting: " in refused(site(tmp_path, port=port)).problem


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_does_not_serve(tmp_path: Path, content: str | None) -> None:
    """A CA file that is missing or holds none is the author's mistake, named with its key."""
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    with pytest.raises(AuthoringError, match=r"vcenter\.ca_file: .*ca\.pem"), connected(site(tmp_path, ca_file=ca)):
        pytest.fail("it connected")


def test_a_password_that_is_not_there(tmp_path: Path) -> None:
    """A secret that is not set is said before anything is sent, with its place."""
    wanted = site(tmp_path)
    (tmp_path / "vcenter.secret").unlink()
    with pytest.raises(AuthoringError, match=r"vcenter\.secret"), connected(wanted):
        pytest.fail("it connected")
