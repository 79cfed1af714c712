"""Packages: hashes verified, downloads whole or not at all, through a real HTTP server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import SiteError
from harness.products import packages
from harness.products.packages import PackageSource, sha256_of
from tests.serving import aside

CONTENT = b"a package of some size " * 40_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Shelf(BaseHTTPRequestHandler):
    """Serves the package, a part of it, another one, a redirect to a file, and nothing."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path in ("/demo.msi", "/part.msi", "/other.msi"):
            body = {"/part.msi": CONTENT[:1000], "/other.msi": CONTENT[1:] + b"x"}.get(self.path, CONTENT)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve packages on loopback; gives the address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_Shelf, "asked", [], raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shelf)
    with aside(server):
        yield f"http://127.0.0.1:{server.server_port}"


def left(folder: Path) -> list[str]:
    """List the files that a download left."""
    return [file.name for file in folder.rglob("*") if file.is_file()]


def test_a_download_is_verified_kept_and_not_fetched_twice(shelf: str, tmp_path: Path) -> None:
    """The second use finds it in the cache, by its hash; the progress ends with all bytes."""
    source = PackageSource(url=f"{shelf}/demo.msi", sha256=SHA256.upper())
    told: list[tuple[int, int | None]] = []
    package = source.package(tmp_path, lambda *sizes: told.append(sizes))
    assert package.file.read_bytes() == CONTENT
    assert package.file.name == "demo.msi"
    assert package.sha256 == SHA256
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert source.package(tmp_path) == package
    assert _Shelf.asked == ["/demo.msi"]


def test_a_damaged_copy_in_the_cache_is_fetched_again(shelf: str, tmp_path: Path) -> None:
    """What lies in the cache is verified as well."""
    source = PackageSource(url=f"{shelf}/demo.msi", sha256=SHA256)
    source.package(tmp_path).file.write_bytes(b"damaged")
    assert source.package(tmp_path).file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/absent.msi", "cannot be downloaded: the server answers 404 Not Found"),
        ("/part.msi", "cannot be downloaded: "),
        ("/away", "cannot be downloaded: "),
    ],
)
def test_a_failed_download_is_the_sites_fault_and_leaves_nothing(
    shelf: str, tmp_path: Path, path: str, problem: str
) -> None:
    """Absent, cut off, or sent to a file of this machine: one line, and no half file that is taken for a whole one."""
    with pytest.raises(SiteError) as caught:
        PackageSource(url=shelf + path, sha256=SHA256).package(tmp_path)
    assert str(caught.value).startswith(f"127.0.0.1: {shelf}{path} {problem}")
    assert str(caught.value).isprintable()
    assert left(tmp_path) == []


def test_another_package_at_the_address_is_refused(shelf: str, tmp_path: Path) -> None:
    """Somebody replaced it, or the hash is wrong: a person has to look."""
    with pytest.raises(ValueError, match=r"^http.*/other\.msi has SHA-256 [0-9a-f]{16}\.\.\., not [0-9a-f]{16}\.\.\.$"):
        PackageSource(url=f"{shelf}/other.msi", sha256=SHA256).package(tmp_path)
    assert left(tmp_path) == []


def test_nobody_listening_is_one_line(shelf: str, tmp_path: Path) -> None:
    """The line says what to do instead."""
    with pytest.raises(SiteError, match=r"no connection; try again, or put it at .*demo\.msi$"):
        PackageSource(url="http://127.0.0.1:9/demo.msi", sha256=SHA256).package(tmp_path)


def test_an_endless_trickle_ends(shelf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download has a time for all of it, not only for each read."""
    monkeypatch.setattr(packages, "TOTAL_SECONDS", -1.0)
    with pytest.raises(SiteError, match=r"only .* bytes after"):
        PackageSource(url=f"{shelf}/demo.msi", sha256=SHA256).package(tmp_path)


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path) -> None:
    """Several cells use one package; a package that was built anew is another one."""
    file = tmp_path / "demo.msi"
    file.write_bytes(b"one")
    assert sha256_of(file) == hashlib.sha256(b"one").hexdigest()
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert sha256_of(file) == hashlib.sha256(b"two").hexdigest()


@pytest.mark.parametrize("line", ["{}  demo.msi", "{} *demo.msi", "{}  sub/demo.msi", "{}  .\\demo.msi"])
def test_a_list_of_hashes_is_read_as_sha256sum_writes_it(tmp_path: Path, line: str) -> None:
    """Text and binary mode, with and without a folder."""
    (tmp_path / "demo.msi").write_bytes(CONTENT)
    (tmp_path / "SHA256SUMS").write_text("# a remark\n" + line.format(SHA256.upper()) + "\n")
    source = PackageSource(file=tmp_path / "demo.msi", sha256_file=tmp_path / "SHA256SUMS")
    assert source.package().sha256 == SHA256
