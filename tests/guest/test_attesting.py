"""A guest is compared with what the matrix and the site file declare, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.builds import Build
from harness.environment import Demands
from harness.errors import Drifted, NotTold
from harness.guest.attesting import Attested, attest
from harness.guest.clock import Skew
from harness.guest.environment import QUESTIONS, Environment, read_environment
from harness.guest.facts import Facts
from harness.guest.guest import Guest
from harness.guest.outcome import Outcome

HKLM = "HKEY_LOCAL_MACHINE"
WINDOWS = {
    "%COMPUTERNAME%": "WIN11-A\n",
    "dir ": " Verzeichnis von C:\\\n 0 Datei(en), 0 Bytes\n 1 Verzeichnis(se), 43008012288 Bytes frei\n",
    "Nls": f"{HKLM}\\L\n    Default    REG_SZ    0407\n    InstallLanguage    REG_SZ    0409\n",
    "ComputerName\\ComputerName": f"{HKLM}\\N\n    ComputerName    REG_SZ    win11-a\n",
    "MUI": f"{HKLM}\\M\n    PreferredUILanguages    REG_MULTI_SZ    de-DE\\0en-US\n",
    "Policies\\Microsoft\\Windows /s": f"{HKLM}\\P\\WindowsUpdate\\AU\n    NoAutoUpdate    REG_DWORD    0x1\n",
    "Services\\WinDefend": f"{HKLM}\\W\n    Start    REG_DWORD    0x2\n",
}


def _windows(**changes: str | None) -> Environment:
    """Read a German Windows, with other answers to the questions that hold the names given (_ for a blank).

    None stands for a key that is not there.
    """
    printed = WINDOWS | {part.replace("_", " "): text for part, text in changes.items()}

    def answer(question: str) -> Outcome:
        text = next((text for part, text in printed.items() if part in question), None)
        code = 0 if text is not None else 1
        return Outcome(command=question, exit_code=code, stdout=text or "", stderr="", seconds=0)

    return read_environment([answer(question) for question in QUESTIONS])


def _facts(environment: Environment) -> Facts:
    return Facts(
        build=Build(22631, 4037), display_version="23H2", edition="Enterprise", product_name="Windows 10 Enterprise",
        account="A\\a", temp="C:\\T", has=frozenset(), provenance="Windows", environment=environment,
    )  # fmt: skip


class KnownGuest(Guest):
    """A guest that is known already: what it is, how its clock goes, and whether it can be set."""

    def __init__(self, environment: Environment, skew: Skew | None = None, after: Skew | None = None) -> None:
        self._known, self._skew, self._after = _facts(environment), skew, after

    def facts(self) -> Facts:
        """Tell it."""
        return self._known

    def skew(self) -> Skew | None:
        """Tell it."""
        return self._skew

    def set_clock(self) -> Skew | None:
        """Set it, or not."""
        return self._after


RIGHT = Skew(0.1, 0.3)


def _attested(
    guest: Guest, *, wanted: str = "22631", said: str = "22631", site: dict[str, Any] | None = None, **matrix: Any
) -> Attested:
    demands = Demands.model_validate(matrix), Demands.model_validate(site or {})
    return attest(guest, wanted=Build.parse(wanted), said=Build.parse(said), matrix=demands[0], site=demands[1])


def _words(attested: Attested) -> list[str]:
    return [drift.words for drift in attested.drifts]


def test_a_windows_tells_its_environment_in_any_language() -> None:
    """Numbers and keys are read, never words."""
    assert _windows() == Environment(
        language="de-DE",
        locale="de-DE",
        pending=(),
        free_disk=43_008_012_288,
        updates="off",
        installer_rollback="on",
        defender="on",
    )


@pytest.mark.parametrize(
    ("question", "printed", "said"),
    [
        ("RebootPending", f"{HKLM}\\R\n", "component servicing"),
        ("RebootRequired", f"{HKLM}\\R\n", "Windows Update"),
        ("InProgress", f"{HKLM}\\I\n", "Windows Installer"),
        (
            "Session_Manager",
            f"{HKLM}\\S\n    PendingFileRenameOperations    REG_MULTI_SZ    \\??\\C:\\a.dll\\0\n",
            "a.dll",
        ),
        ("%COMPUTERNAME%", "OLD-NAME\n", "new computer name"),
    ],
)
def test_every_place_that_waits_for_a_restart_is_looked_at(question: str, printed: str, said: str) -> None:
    """One of them is enough, and it blocks unless that is declared to be no matter."""
    environment = _windows(**{question: printed})
    assert environment.pending is not None
    assert [said in words for words in environment.pending] == [True]
    (words,) = _words(_attested(KnownGuest(environment, RIGHT)))
    assert words.startswith("pending restart: ")
    assert not _attested(KnownGuest(environment, RIGHT), pending_reboot="any").drifts
    assert not _attested(KnownGuest(environment, RIGHT), site={"pending_reboot": "any"}).drifts


@pytest.mark.parametrize(
    "changes",
    [
        {"Services\\WinDefend": None},
        {"Services\\WinDefend": f"{HKLM}\\W\n    Start    REG_DWORD    0x4\n"},
        {"Defender\\Real-Time": f"{HKLM}\\W\n    DisableRealtimeMonitoring    REG_DWORD    0x1\n"},
        {"Policies\\Microsoft\\Windows_Defender": f"{HKLM}\\W\n    DisableAntiSpyware    REG_DWORD    0x1\n"},
    ],
)
def test_a_virus_scanner_is_off_by_service_policy_or_setting(changes: dict[str, str | None]) -> None:
    """Each of the three is looked at; without the service there is none."""
    assert _windows(**changes).defender == "off"


def test_rollback_that_a_policy_forbids_blocks_by_default() -> None:
    """A product cannot be blamed for an old version that Windows Installer may not bring back."""
    policies = f"{HKLM}\\P\\Windows\\Installer\n    DisableRollback    REG_DWORD    0x1\n"
    forbidden = _windows(**{"Policies\\Microsoft\\Windows /s": policies})
    assert _words(_attested(KnownGuest(forbidden, RIGHT))) == ["installer rollback: off, wanted is on"]
    assert not _attested(KnownGuest(forbidden, RIGHT), installer_rollback="any").drifts


def test_what_is_not_declared_is_recorded_and_not_compared() -> None:
    """Defaults break no site: only what no product can be judged on is wanted of every guest."""
    attested = _attested(KnownGuest(replace(_windows(), updates="on", defender="off", free_disk=1), RIGHT))
    assert not attested.drifts
    assert attested.text["Windows Update"] == "on"
    assert attested.text["free disk"] == "0.0 GB"
    attested.check("win-a")


def test_every_difference_is_named_with_who_wants_it() -> None:
    """One sentence holds them all, and the machine."""
    attested = _attested(
        KnownGuest(_windows(), RIGHT),
        wanted="22631.4460",
        said="22631.3880",
        site={"edition": "Professional", "language": "de-DE"},
        language="en-US",
        minimum_builds=["22631.4200", "19045.5000"],
        free_disk_gb=100.0,
        updates="off",
        defender="off",
    )
    with pytest.raises(Drifted) as caught:
        attested.check("win-a")
    assert str(caught.value).startswith("win-a: drifted: carries 22631.4037, the site file says 22631.3880; ")
    assert _words(attested) == [
        "carries 22631.4037, the site file says 22631.3880",
        "carries 22631.4037, the matrix wants 22631.4460",
        "build: 22631.4037, the matrix wants 22631.4200 at least",
        "edition: Enterprise, the site file says Professional",
        "language: de-DE, the matrix wants en-US",
        "free disk: 43.0 GB, the matrix wants 100 GB at least",
        "Defender: on, the matrix wants off",
    ]


def test_what_cannot_be_told_blocks_only_where_it_was_demanded() -> None:
    """Not to know is no drift: the error is another one, so that nobody puts the machine away."""
    silent = KnownGuest(Environment())
    assert not _attested(silent).drifts
    attested = _attested(silent, defender="off", updates="any")
    assert _words(attested) == ["does not tell its Defender, the matrix wants off"]
    assert attested.text["Defender"] == attested.text["clock"] == "not told"
    with pytest.raises(NotTold, match="take the demand out"):
        attested.check("win-a")


@pytest.mark.parametrize(
    ("skew", "after", "demands", "told", "drifts"),
    [
        (Skew(1.5, 0.3), None, {}, "1.5 s ahead", 0),
        (Skew(90, 0.3), RIGHT, {}, "90.0 s ahead; was set", 0),
        (Skew(-7200, 0.3), RIGHT, {}, "2.0 hours behind; was set", 0),
        (Skew(90, 0.3), Skew(90, 0.5), {}, "90.0 s ahead; could not be set, still 90.0 s ahead", 0),
        (Skew(90, 0.3), Skew(90, 0.5), {"clock_skew": 30.0}, "90.0 s ahead; could not be set, still 90.0 s ahead", 1),
        (Skew(900, 0.3), Skew(900, 0.5), {}, "15.0 minutes ahead; could not be set, still 15.0 minutes ahead", 1),
        (Skew(1.6, 0.3), RIGHT, {"clock_skew": 1.0}, "1.6 s ahead; was set", 0),
    ],
)
def test_a_wrong_clock_is_set_and_drifts_only_beyond_what_is_tolerated(
    skew: Skew, after: Skew | None, demands: dict[str, Any], told: str, drifts: int
) -> None:
    """What was seen and what was done about it is recorded in every case."""
    attested = _attested(KnownGuest(_windows(), skew, after), **demands)
    assert attested.text["clock"] == told
    assert len(attested.drifts) == drifts
