"""A connection that is cut in the middle of a file: nothing half there, nothing sent twice, and a line that says so."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import DeliveryFailed
from harness.machines.files import Address, GuestFiles
from harness.machines.machine import Machine
from harness.machines.stub import https
from harness.machines.vcenter import VCenter, connected
from harness.site import Site
from tests.machines.sockets import listening

GUEST_PATH = r"C:\wincompat\cut\setup.bin"
CUT = 3_000_000
WHOLE = 8_000_000


class Cut:
    """Hands on between a client and the place where files are handed over, until so many bytes have passed."""

    def __init__(self, host: str, port: int) -> None:
        self.connections = 0
        self._there = (host, port)
        self._left = CUT
        self._alone = threading.Lock()

    def serve(self, client: socket.socket) -> None:
        """Serve one connection."""
        self.connections += 1
        # closed, not only shut down: what was not read yet would hold whoever still sends
        with client, socket.create_connection(self._there) as server:
            back = threading.Thread(target=self._hand_on, args=(server, client), daemon=True)
            back.start()
            self._hand_on(client, server)
            back.join()

    def _hand_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                with self._alone:
                    self._left -= len(piece)
                if self._left < 0:
                    break
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def vcenter(lab_site: Site) -> Iterator[VCenter]:
    """Be connected to the lab's vCenter."""
    with connected(lab_site) as vcenter:
        yield vcenter


@pytest.fixture
def machine(vcenter: VCenter, lab_site: Site) -> Machine:
    """Have a machine that is on."""
    machine = vcenter.machine(lab_site.machines[0])
    machine.power_on()
    return machine


@pytest.fixture
def cut(lab_site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Cut]]:
    """Lead transfers from now on over connections that are cut, to an address that the certificate does not name."""
    with contextlib.ExitStack() as open_ones:

        def begin() -> Cut:
            cutting = Cut(lab_site.vcenter.host, lab_site.vcenter.port)
            port = open_ones.enter_context(listening(cutting.serve))
            offered = GuestFiles._address
            trusting = ssl.create_default_context(cafile=lab_site.vcenter.ca_file)
            trusting.check_hostname = False
            monkeypatch.setattr(
                GuestFiles, "_address", lambda self, url: Address("127.0.0.1", port, offered(self, url).target)
            )
            monkeypatch.setattr(
                "harness.machines.files.https", lambda *where, **how: https(*where, **{**how, "tls": trusting})
            )
            return cutting

        yield begin


def here(tmp_path: Path) -> Path:
    """Make a file that does not arrive in one piece."""
    source = tmp_path / "setup.bin"
    source.write_bytes(os.urandom(1 << 16) * (WHOLE >> 16))
    return source


def test_a_folder_that_is_most_likely_new_is_made_before(
    machine: Machine, vcenter: VCenter, lab_site: Site, tmp_path: Path
) -> None:
    """The file is then offered once, and so it is where the folder was there after all."""
    source, files = here(tmp_path), machine.files(lab_site.accounts["administrator"])
    files.put(source, r"C:\setup.bin")  # it may be booting
    before = vcenter.calls
    for times in (1, 2):
        files.put(source, r"C:\wincompat\brand new\setup.bin", folder_is_new=True)
        asked = vcenter.calls - before
        assert asked["InitiateFileTransferToGuest"] == asked["MakeDirectoryInGuest"] == times


def test_an_upload_that_is_cut_leaves_nothing(
    machine: Machine, vcenter: VCenter, lab_site: Site, tmp_path: Path, cut: Callable[[], Cut]
) -> None:
    """What had arrived is removed; the file was offered once and sent once."""
    source, account = here(tmp_path), lab_site.accounts["administrator"]
    small = tmp_path / "small.txt"
    small.write_text("x")
    machine.put(account, small, GUEST_PATH.replace("setup.bin", "small.txt"))  # the folder is there
    before, cutting = vcenter.calls, cut()
    with pytest.raises(DeliveryFailed, match=r"bringing setup\.bin to .*127\.0\.0\.1:") as told:
        machine.put(account, source, GUEST_PATH)
    assert "a part of it" not in str(told.value)
    asked = vcenter.calls - before
    assert asked["InitiateFileTransferToGuest"] == cutting.connections == 1
    assert asked["DeleteFileInGuest"] == 1
    with pytest.raises(DeliveryFailed, match="no such file"):
        machine.get(account, GUEST_PATH, tmp_path / "back.bin")


def test_a_part_that_cannot_be_removed_is_told(
    machine: Machine, lab_site: Site, tmp_path: Path, cut: Callable[[], Cut], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the vCenter is gone with the connection, the line says what may lie in the guest."""
    source, account = here(tmp_path), lab_site.accounts["administrator"]
    cut()
    ask = GuestFiles._ask

    def only_offer(self: GuestFiles, question: Callable[[object], object]) -> object:
        if "DeleteFileInGuest" in question.__code__.co_names:
            raise ConnectionRefusedError
        return ask(self, question)

    monkeypatch.setattr(GuestFiles, "_ask", only_offer)
    with pytest.raises(DeliveryFailed, match="; a part of it may lie there; check that this address"):
        machine.put(account, source, GUEST_PATH)


def test_a_download_that_is_cut_leaves_what_was_there(
    machine: Machine, vcenter: VCenter, lab_site: Site, tmp_path: Path, cut: Callable[[], Cut]
) -> None:
    """The target keeps what it held, nothing lies beside it, and the file was asked for once."""
    source, account = here(tmp_path), lab_site.accounts["administrator"]
    machine.put(account, source, GUEST_PATH)
    place = tmp_path / "out"
    place.mkdir()
    target = place / "log.bin"
    target.write_text("from before")
    before, cutting = vcenter.calls, cut()
    with pytest.raises(DeliveryFailed, match=r"bringing .* out: "):
        machine.get(account, GUEST_PATH, target)
    assert target.read_text() == "from before"
    assert list(place.iterdir()) == [target]
    assert (vcenter.calls - before)["InitiateFileTransferFromGuest"] == cutting.connections == 1
