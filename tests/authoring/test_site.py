"""Site files: mistakes in one line, paths from the file's folder, secrets by their place and never shown."""

# ruff: noqa: E501 - a row of the table is a mistake and its answer, and is read whole

from __future__ import annotations

from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from harness import authoring
from harness.builds import Build
from harness.errors import AuthoringError
from harness.site import Secret, Site, read_site

SITE = """\
name = "rack 4"

[vcenter]
host = "vcenter.example.com"
user = "tester"
password = { env = "VCENTER_PASSWORD" }
ca_file = "ca.pem"

[winrm]
auth = "ntlm"

[accounts.administrator]
user = "builder"
password = { file = "secrets/builder" }

[[machines]]
path = "DC/vm/Windows/a"
build = 22631
snapshot = "clean"
address = "10.0.0.1"

[[machines]]
path = "DC/vm/Windows/b"
build = "19044.1200"
snapshot = "clean"
address = "10.0.0.2"
"""

MISTAKES = [
    ('host = "vcenter', 'host = "https://vcenter', "vcenter.host: should be a name or an address alone, without https:// and without a path"),
    ('example.com"', 'example.com:443"', "vcenter.host: should be without a port; the key 'port' is for it"),
    ('{ env = "VCENTER_PASSWORD" }', '"hunter2"', 'vcenter.password: say where the password is, not what it is: { env = "NAME" }, { file = "PATH" } or { keyring = "SERVICE/USER" }'),
    ('{ env = "VCENTER_PASSWORD" }', '{ evn = "hunter2" }', "vcenter.password: no key 'evn' here; did you mean 'env'?"),
    ('{ env = "VCENTER_PASSWORD" }', '{ env = "A", file = "b" }', "vcenter.password: name one place for the secret: env, file or keyring"),
    ('{ env = "VCENTER_PASSWORD" }', "1234", "vcenter.password: should be a table, not a whole number"),
    ("[accounts.administrator]", "[accounts.admin]", "accounts: no key 'admin' here; did you mean 'administrator'?"),
    ("[accounts.administrator]", "[accounts.standard]", "accounts: the key 'administrator' is missing: the account that installs"),
    ("Windows/b", "Windows/a", "machines: [1] has the path 'DC/vm/Windows/a' of [0] again"),
    ("10.0.0.2", "10.0.0.1", "machines: [1] has the address '10.0.0.1' of [0] again"),
    ("build = 22631", "build = 22632", "machines[0].build: build 22632 is not in the catalog; the nearest is 22631 (Windows 11 23H2)"),
    ('snapshot = "clean"', 'snapshto = "clean"', "machines[0]: no key 'snapshto' here; did you mean 'snapshot'? (and 1 more)"),
    ('auth = "ntlm"', 'auth = "ntml"', "winrm.auth: no choice 'ntml'; did you mean 'ntlm'?"),
    ('auth = "ntlm"', "port = 70000", "winrm.port: should be at most 65535"),
    ('"ca.pem"', '"ca.crt"', "vcenter.ca_file: no file 'sites/ca.crt'"),
    ('ca_file = "ca.pem"', 'thumbprint = "AB:CD"', "vcenter.thumbprint: should be a SHA-256 thumbprint of 64 digits; this one has 4"),
    ('ca_file = "ca.pem"', f'thumbprint = "{"xy" * 32}"', "vcenter.thumbprint: should be hexadecimal, with or without colons"),
    ('ca_file = "ca.pem"', f'thumbprint = "{"ab" * 32}"\nverify = false', "vcenter: a thumbprint is a verification; leave out 'verify = false'"),
    ('{ env = "VCENTER_PASSWORD" }', '{ keyring = "vcenter" }', "vcenter.password.keyring: should name the service and the user: 'vcenter.example.com/svc-compat'"),
    ('path = "DC/vm/Windows/b"', 'path = "DC/vm/Windows/b"\nmoid = "vm-7"', "machines[1]: path and moid contradict each other: name one machine, or where to draw from"),
    ('path = "DC/vm/Windows/b"\n', "", "machines[1]: the key 'path' is missing: say which machine, or draw with 'moid', 'folder' or 'tag'"),
    ('path = "DC/vm/Windows/b"', 'folder = "DC/vm/Windows"', "machines[1]: one address cannot serve all machines drawn; leave it out, it is 'from-tools'"),
    ('\naddress = "10.0.0.2"', "", "machines[1]: the key 'address' is missing: the guest's, or 'from-tools'"),
    ('address = "10.0.0.2"', 'strategy = "linked"', "machines[1].strategy: no choice 'linked'; did you mean 'linked-clone'?"),
    ('address = "10.0.0.2"', 'address = "10.0.0.2"\nstrategy = "linked-clone"', "machines[1]: one address cannot serve several clones; give each its own in clones.addresses"),
    ('address = "10.0.0.2"', 'address = "10.0.0.2"\nclones = { at_most = 2 }', "machines[1]: 'clones' says how to clone, and the strategy is 'revert'; add strategy = \"linked-clone\""),
    ('address = "10.0.0.2"', 'strategy = "linked-clone"\nclones = { addresses = ["10.0.0.2", "10.0.0.3"] }', "machines[1].clones: 2 addresses for at most 1 clones; each needs its own"),
    ('address = "10.0.0.2"', 'strategy = "instant-clone"\nfallback = "revert"', "machines[1]: fallback: the source of instant clones must stay as it is; fall back on 'linked-clone'"),
    ('address = "10.0.0.2"', 'strategy = "linked-clone"\nfallback = "linked-clone"', "machines[1]: fallback: 'linked-clone' is the strategy itself"),
    ('address = "10.0.0.2"', 'address = "10.0.0.2"\nfallback = "linked-clone"', "machines[1]: fallback: there is nothing to fall back on when a revert fails"),
    ('address = "10.0.0.2"', 'strategy = "linked-clone"\nclones = { guestinfo = { ip = "x" } }', "machines[1].clones: guestinfo: 'ip' should begin with 'guestinfo.', or the guest cannot read it"),
    ('auth = "ntlm"', "[budgets]\nready = -1", "budgets.ready: should be more than 0"),
]  # fmt: skip


class Memory(keyring.backend.KeyringBackend):
    """A keyring that forgets with the process."""

    priority = 1

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Give what was kept."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password


@pytest.fixture
def site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a site in which everything is right."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sites/secrets").mkdir(parents=True)
    (tmp_path / "sites/ca.pem").write_text("a certificate")
    (tmp_path / "sites/secrets/builder").write_text("open sesame\r\n")
    file = Path("sites/rack.toml")
    file.write_text(SITE)
    return file


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_a_mistake_is_one_line_and_no_secret_is_in_it(site_file: Path, old: str, new: str, line: str) -> None:
    """What is written where a password's place should be may be the password."""
    assert old in SITE
    site_file.write_text(SITE.replace(old, new, 1))
    with pytest.raises(AuthoringError) as caught:
        read_site(site_file)
    assert str(caught.value) == f"sites/rack.toml: {line}"
    assert "hunter2" not in repr(caught.value)
    assert "hunter2" not in repr(caught.value.__context__)


def test_paths_start_at_the_files_folder(site_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site works from whatever folder pytest is started in."""
    absolute = site_file.absolute()
    monkeypatch.chdir("/")
    site = read_site(absolute)
    assert site.vcenter.ca_file == absolute.parent / "ca.pem"
    assert site.accounts["administrator"].password.read().get_secret_value() == "open sesame"
    assert [machine.windows for machine in site.machines] == [Build(22631), Build(19044, 1200)]


def test_a_secret_is_read_from_its_place_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the place nor what was read shows the secret."""
    monkeypatch.setenv("DEMO_PASSWORD", "hunter2")
    secret = Secret(env="DEMO_PASSWORD").read()
    assert secret.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{secret!r} {secret}"


def test_a_secret_in_the_keyring_is_read_by_service_and_user() -> None:
    """The system's keyring is asked for what stands before and behind the first slash."""
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        keyring.set_password("vcenter.example.com", "corp/svc", "hunter2")
        assert Secret(keyring="vcenter.example.com/corp/svc").read().get_secret_value() == "hunter2"
        with pytest.raises(AuthoringError) as caught:
            Secret(keyring="vcenter.example.com/other").read()
        line = "the keyring has no entry vcenter.example.com/other; make it with: keyring set vcenter.example.com other"
        assert str(caught.value) == line
        nothing: Any = keyring.backends.fail.Keyring  # has no annotations
        keyring.set_keyring(nothing())
        with pytest.raises(AuthoringError, match=r"^the keyring's entry a/b cannot be read: No recommended backend"):
            Secret(keyring="a/b").read()
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("name", ["example", "vsphere"])
def test_the_sites_to_copy_from_are_right(name: str) -> None:
    """What we hand out as an example can be read; it names files that are its reader's to bring."""
    site = authoring.read(Path(__file__).parents[2] / f"fixtures/sites/{name}.toml", Site)
    assert {machine.strategy for machine in site.machines} >= {"revert"}


def test_a_secret_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the place; bytes that are no text are not quoted."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMPTY_PASSWORD", "")
    (tmp_path / "empty").touch()
    (tmp_path / "bytes").write_bytes(b"\xffhunter2")
    lines = []
    for secret in (
        Secret(env="NO_SUCH_PASSWORD"),
        Secret(env="EMPTY_PASSWORD"),
        *(Secret(file=tmp_path / name) for name in ("absent", "empty", "bytes")),
    ):
        with pytest.raises(AuthoringError) as caught:
            secret.read()
        lines.append(str(caught.value))
        assert caught.value.__cause__ is None or "hunter2" not in repr(caught.value.__cause__)
    assert lines == [
        "the environment variable NO_SUCH_PASSWORD is not set; it should hold a password",
        "the environment variable EMPTY_PASSWORD is not set; it should hold a password",
        "absent: cannot read the secret: No such file or directory",
        "empty: the file is empty; it should hold a password",
        "bytes: the secret is not UTF-8 text",
    ]
