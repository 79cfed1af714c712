"""The pieces of a guest that need no Wine."""

from __future__ import annotations

import fcntl
import os
import stat
from functools import partial
from pathlib import Path

import pytest

from harness.lab import host
from harness.lab.agent import levels
from harness.lab.agent.chains import steps
from harness.lab.agent.commandline import asked, carried, is_simple
from harness.lab.agent.duplicate import duplicate
from harness.lab.agent.jobs import Job
from harness.lab.agent.session import Session
from harness.lab.host import Host, missing
from harness.lab.registry import remove, written
from harness.lab.windows import computer_name
from tests.waiting import until

PROGRAMS = {"reg.exe", "msiexec.exe"}


@pytest.mark.parametrize(
    ("line", "batch"),
    [
        ("echo 100%", "echo 100%%"),
        ("echo %PATH%", "echo %PATH%"),
        ("echo %path:~0,3%", "echo %path:~0,3%"),
        ("echo %NOPE%", "echo %%NOPE%%"),
        ("echo 50% of %PATH%", "echo 50%% of %PATH%"),
        ("for %i in (a) do echo %i%i", "for %%i in (a) do echo %%i%%i"),
        ("echo %%", "echo %%%%"),
        ("echo %1 %*", "echo %%1 %%*"),
        ("ver\nexit 5", "ver"),
    ],
)
def test_percent_signs_mean_what_they_mean_on_a_command_line(line: str, batch: str) -> None:
    """Only a variable that is set is expanded; every other percent sign stays."""
    assert carried(line, {"PATH"}) == batch


def test_a_line_tells_which_variables_it_asks_for() -> None:
    """Every name that might be a variable's is found, and those that cmd.exe makes up are not asked for."""
    assert asked("echo %FOO% %cd% 100%") >= {"FOO"}
    assert not asked("echo %cd% %ERRORLEVEL% 100% ") - {" ", " 100"}


@pytest.mark.parametrize(
    "line",
    [
        "echo a & echo b",
        'echo "a && b"',
        "echo a ^&^& b",
        "if exist C:\\x echo a && echo b",
        "for %%i in (a) do x && y",
        "(a && b) || c",
        "a > nul 2>&1",
    ],
)
def test_a_line_without_chains_of_its_own_stays_whole(line: str) -> None:
    """Only ``&&`` and ``||`` at the top of a line are written out; in quotes, IF, FOR and brackets they stay."""
    assert steps(line) == [line]


def test_a_chain_binds_as_on_windows() -> None:
    """``&&`` binds before ``||``, and both before ``&``."""
    written_out = [line.strip() for line in steps("a || b 2>&1 && c & d")]
    assert [line for line in written_out if not line.startswith("set ")] == [
        "a",
        "if %errorlevel%==0 goto wincompat_end_0",
        ":wincompat_or_0_0",
        "b 2>&1",
        "if not %errorlevel%==0 goto wincompat_end_0",
        "c",
        ":wincompat_end_0",
        "d",
        ":wincompat_end_1",
    ]


@pytest.mark.parametrize(
    ("line", "simple"),
    [
        ("echo hi", True),
        ("reg query HKLM\\x", True),
        ('"C:\\a b\\setup.exe" /S "x & y"', True),
        ("MSIEXEC.EXE /i x.msi", True),
        ("exit 1603", False),
        ("setup.bat", False),
        ("setup", False),
        ("call setup.bat", False),
        ("call x.exe", True),
        ("(call )& reg query x& call echo m %^errorlevel%& call echo m 1>&2", True),
        ('if exist "C:\\a & b" echo there', True),
        ("if not exist C:\\x setup.bat", False),
        ("for %t in (setup.bat b) do @if exist %t echo %t", True),
        ("for %t in (a b) do %t", False),
        ("reg query x | find y", False),
        ("reg query x && setup.bat", False),
        (":label", False),
        ("echo a & exit 3", False),
        ("echo a^", False),
        ('echo "unfinished', False),
        ("(echo a)", True),
        ("(setup)", False),
        ("", False),
    ],
)
def test_only_what_surely_returns_is_simple(line: str, simple: bool) -> None:
    """A line that might not come back to its batch file gets a cmd.exe around it, or its exit code would be lost."""
    assert is_simple(line, PROGRAMS) is simple


def test_a_registry_value_is_set_in_its_key() -> None:
    """A value replaces the one of its name in its own key, in any spelling, and a new key is added at the end."""
    text = 'WINE\n\n[Software\\\\A] 12\n#time=1\n"X"="1"\n"Y"=dword:00000001\n\n[Software\\\\A\\\\B] 13\n"X"="1"\n\n'
    changed = written(text, r"software\a", {"x": 'C:\\q "r"', "Z": 255})
    assert '"x"="C:\\\\q \\"r\\""' in changed
    assert '"Z"=dword:000000ff' in changed
    assert changed.count('"X"="1"') == 1
    assert '"Y"=dword:00000001' in changed
    assert written(changed, r"Software\New", {"n": 1}).endswith('[Software\\\\New] 0\n"n"=dword:00000001\n\n')


def test_values_are_removed_from_their_key_alone(tmp_path: Path) -> None:
    """In any spelling, and what is not there is passed over; the same names of other keys stay."""
    hive = tmp_path / "system.reg"
    text = 'WINE\n\n[Software\\\\A] 12\n#time=1\n"X"="1"\n"Y"="2"\n\n[Software\\\\A\\\\B] 13\n"X"="1"\n\n'
    hive.write_text(text)
    remove(hive, r"software\a", "x", "none")
    assert hive.read_text() == text.replace('"X"="1"\n', "", 1)
    remove(hive, r"Software\Nobody", "Y")
    assert hive.read_text() == text.replace('"X"="1"\n', "", 1)


def test_output_gathers_until_it_is_enough_or_old_enough(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A few bytes wait for more until their time is over; many are sent on at the first look."""
    places = dict.fromkeys(("drive", "screen"), str(tmp_path))
    session = Session("tester", "standard", places, {}, set())
    job = Job(1, ["cat"], dict(os.environ), str(tmp_path), "none")
    fd = next(iter(job.outputs))
    try:
        if (room := fcntl.fcntl(fd, fcntl.F_GETPIPE_SZ)) < 64 * 1024:  # what Linux does past fs.pipe-user-pages-soft
            pytest.skip(f"this account has so many pipes open that a new one holds only {room} bytes")
        for size, at, sent in ((10, 1.0, 0), (10, 1.9, 0), (10, 2.0, 1), (60_000, 1.0, 1)):
            if not session.gathering:
                session.gathering[fd] = (1.0, 2.0, job)
                os.write(job.stdin, b"x" * size)
            until(partial(_holds, job, fd, size))
            session.send_gathered(at)
            assert capfd.readouterr().out.count('"stream":"stdout"') == sent, (size, at)
            if sent:
                session.selector.unregister(fd)
    finally:
        job.process.kill()
        job.process.wait()
        job.close()


def _holds(job: Job, fd: int, size: int) -> bool:
    return job.holds(fd) == size


def test_a_computer_has_a_name_that_windows_allows() -> None:
    """Names are capitals, digits and hyphens, fifteen at most."""
    assert computer_name("win11-23h2-a") == "WIN11-23H2-A"
    assert computer_name("a_very-long.name-of-a-guest") == "A-VERY-LONG-NAM"


def test_file_modes_can_stand_in_for_landlock(tmp_path: Path) -> None:
    """Without Landlock the right to write is taken from all but the public places, and given back as it was."""
    drive = tmp_path / "c"
    for place in ("windows/temp", "windows/Installer", "users/Public", "users/tester", "Program Files/Own"):
        (drive / place).mkdir(parents=True)
    for name, mode in (("windows/win.ini", 0o644), ("windows/fixed.ini", 0o444), ("users/tester/mine.txt", 0o644)):
        (drive / name).write_text("x")
        (drive / name).chmod(mode)
    before = _modes(drive)
    levels.close_modes(str(drive), "tester")
    closed = _modes(drive)
    writable = {name for name, mode in closed.items() if mode & 0o200}
    assert writable == {
        "users/Public", "users/tester", "users/tester/mine.txt", "windows/temp", "windows/Installer",
    }  # fmt: skip
    levels.open_modes(str(drive))
    assert _modes(drive) == before


def _modes(drive: Path) -> dict[str, int]:
    return {str(path.relative_to(drive)): stat.S_IMODE(path.lstat().st_mode) for path in (drive, *drive.rglob("*"))}


def test_a_copy_is_real_and_follows_nothing(tmp_path: Path) -> None:
    """Files are copied with their modes and times, links are kept as links, and pipes are left out."""
    source, target = tmp_path / "from", tmp_path / "to"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "file").write_bytes(b"x" * 100_000)
    (source / "sub" / "file").chmod(0o444)
    os.utime(source / "sub" / "file", (1, 2))
    (source / "link").symlink_to("/etc")
    os.mkfifo(source / "pipe")
    duplicate(str(source), str(target))
    copy = target / "sub" / "file"
    assert copy.read_bytes() == b"x" * 100_000
    assert (stat.S_IMODE(copy.stat().st_mode), copy.stat().st_mtime, copy.stat().st_nlink) == (0o444, 2, 1)
    assert (target / "link").readlink() == Path("/etc")
    assert sorted(path.name for path in target.iterdir()) == ["link", "sub"]


def test_what_a_host_lacks_is_said_with_its_cure() -> None:
    """Each missing piece is one plain sentence with the package to install; another system is pointed to vSphere."""
    sentences = missing(Host(), platform="linux")
    for package in ("wine wine64", "bubblewrap", "xvfb", "python3"):
        assert sum(f"apt-get install {package}" in s or package in s for s in sentences) >= 1
    (sentence,) = missing(Host(), platform="darwin")
    assert "vSphere" in sentence


def test_guests_never_run_as_root() -> None:
    """The guests' user is the lab's own, or a number of nobody when that is root."""
    assert host.guest_user() != 0
