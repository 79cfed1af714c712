"""Servers that misbehave in ways no lab does, on real sockets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve on loopback: hand each connection to ``serve`` in a thread of its own; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    threading.Thread(target=_quietly, args=(serve, taken[-1]), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for connection in taken:
                connection.close()
            thread.join(60)


def _quietly(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        serve(connection)


def silent(connection: socket.socket) -> None:
    """Take everything and never say a word."""
    while connection.recv(1 << 16):
        pass


def closed_port() -> int:
    """Find a port of loopback on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def certificate(folder: Path, *, until: datetime | None = None) -> Path:
    """Make a self-signed certificate for 127.0.0.1 with its key, in one PEM file; it ends tomorrow, or ``until``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(until or now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def https_server(pem: Path, body: bytes | None) -> Callable[[socket.socket], None]:
    """Answer every request over TLS with one body; None is silence."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secured:
            while secured.recv(1 << 16):
                if body is not None:
                    secured.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return serve


class Cutter:
    """A relay before a server that, once armed, lets the next request through and breaks off instead of its answer."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.armed = threading.Event()
        self.cut = threading.Event()

    def serve(self, client: socket.socket) -> None:
        """Relay one connection, which may be encrypted: nothing is read, only moved."""
        with socket.create_connection(self.target) as server:
            onward = threading.Thread(target=_quietly, args=(lambda _: self._move(client, server), client), daemon=True)
            onward.start()
            while piece := server.recv(1 << 16):
                if self.armed.is_set():
                    self.armed.clear()
                    self.cut.set()
                    break
                client.sendall(piece)
            for end in (client, server):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            onward.join()

    @staticmethod
    def _move(here: socket.socket, there: socket.socket) -> None:
        while piece := here.recv(1 << 16):
            there.sendall(piece)


class Swallower(Cutter):
    """A relay before a server that, once armed, takes everything from both sides and passes nothing on any more."""

    def serve(self, client: socket.socket) -> None:
        """Relay one connection until armed; then keep it open in silence."""
        with socket.create_connection(self.target) as server:
            onward = threading.Thread(target=_quietly, args=(lambda _: self._pass(client, server), client), daemon=True)
            onward.start()
            _quietly(lambda _: self._pass(server, client), server)
            onward.join()

    def _pass(self, here: socket.socket, there: socket.socket) -> None:
        while piece := here.recv(1 << 16):
            if self.armed.is_set():
                self.cut.set()
            else:
                there.sendall(piece)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
