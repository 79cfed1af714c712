"""What holds for every product, undeclared: each rule finds its defect, and a clean product draws nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.expectations import Cause, Phase, findings
from harness.guest.state import Entry, SearchPath, State, Thing, UninstallEntry
from harness.guest.state.hooks import NEXT_START
from harness.guest.state.noise import Learned

UNINSTALL = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
FOLDER = Entry(None, "1")
CLEAN = State(
    account="vm\\admin",
    files={r"C:\Program Files": FOLDER, r"C:\Program Files\Other\other.dll": Entry(3, "1")},
    uninstall={f"{UNINSTALL}\\Other": UninstallEntry("", {"displayname": "Other", "displayversion": "2.0"})},
    system_path=SearchPath("REG_EXPAND_SZ", (r"%SystemRoot%\system32", r"C:\Tools")),
    things={
        "service": {"dhcp": Thing("Dhcp", {"start": "automatic"})},
        "service name": {"dhcp": Thing("Dhcp", {"display name": "DHCP Client"})},
        "running service": {"dhcp client": Thing("DHCP Client")},
        "vendor key": {"other": Thing("Other")},
        "certificate": {},
    },
)
EXE = r"C:\Program Files\Ninja\ninja.exe"
ENTRY = UninstallEntry("", {"displayname": "Ninja", "displayversion": "1.13.0"})
INSTALLED = replace(
    CLEAN,
    files={**CLEAN.files, r"C:\Program Files\Ninja": FOLDER, EXE: Entry(9, "2")},
    uninstall={**CLEAN.uninstall, f"{UNINSTALL}\\Ninja": ENTRY},
    system_path=SearchPath("REG_EXPAND_SZ", (*CLEAN.system_path.entries, r"C:\Program Files\Ninja")),
)


def _things(state: State, area: str, *things: Thing, without: str = "") -> State:
    own = {key: thing for key, thing in state.things[area].items() if key != without}
    return replace(state, things={**state.things, area: {**own, **{thing.name.lower(): thing for thing in things}}})


def _path(*entries: str, kind: str = "REG_EXPAND_SZ") -> State:
    return replace(INSTALLED, system_path=SearchPath(kind, entries))


def _entry(**values: str) -> State:
    told = UninstallEntry("", {**ENTRY.values, **values})
    return replace(INSTALLED, uninstall={**CLEAN.uninstall, f"{UNINSTALL}\\Ninja": told})


def _codes(after: State, **phase: Any) -> list[str]:
    told: dict[str, Any] = {"what": "install", "version": "1.13.0", "before": CLEAN, **phase}
    return [finding.code for finding in findings(Phase(clean=CLEAN, after=after, **told))]


def test_a_variable_in_path_has_to_be_set() -> None:
    """An entry by way of a variable that nobody sets leads nowhere; Windows' own and those in the registry are set."""
    own = Thing("DEMO_HOME", {"value": r"C:\Program Files\Ninja", "type": "REG_SZ"})
    for entry, codes in ((r"%DEMO_HOME%\bin", []), (r"%APPDATA%\x", []), (r"%OTHER%\bin", ["path-variable-unset"])):
        after = _path(*CLEAN.system_path.entries, entry)
        after = replace(after, things={**after.things, "environment variable": {"demo_home": own}})
        assert _codes(after) == codes, entry


def test_a_clean_product_draws_no_finding() -> None:
    """Installed, upgraded, refused, undone and removed as it should be, nothing is found."""
    assert _codes(INSTALLED) == []
    newer = replace(INSTALLED, uninstall={**CLEAN.uninstall, f"{UNINSTALL}\\Ninja2": ENTRY})
    assert _codes(newer, what="upgrade", before=INSTALLED) == []
    assert _codes(CLEAN, what="uninstall", before=INSTALLED) == []
    assert _codes(CLEAN, what="refused installation") == []
    assert _codes(INSTALLED, what="failed upgrade", before=INSTALLED) == []


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (_path(r"%SystemRoot%\system32", r"C:\Program Files\Ninja"), "path-entry-lost"),
        (_path(r"C:\Tools", r"%SystemRoot%\system32", r"C:\Program Files\Ninja"), "path-order"),
        (_path(*INSTALLED.system_path.entries, kind="REG_SZ"), "path-type"),
        (_path(*INSTALLED.system_path.entries, "C:\\program files\\ninja\\"), "path-entry-twice"),
        (_path(*INSTALLED.system_path.entries, "C:\\" + "x" * 2100), "path-length"),
        (replace(INSTALLED, files={k: v for k, v in INSTALLED.files.items() if "other" not in k}), "others-file"),
        (replace(INSTALLED, uninstall={f"{UNINSTALL}\\Ninja": ENTRY}), "others-program"),
        (_things(INSTALLED, "service", Thing("Dhcp", {"start": "disabled"})), "others-service"),
        (_things(INSTALLED, "running service", without="dhcp client"), "others-service-stopped"),
        (_things(INSTALLED, "vendor key", without="other"), "others-setting"),
        (_things(INSTALLED, "certificate", Thing("AB" * 20)), "certificate-added"),
        (
            _things(INSTALLED, "service", Thing("Svc", {"image path": r'"C:\Program Files\Ninja\no.exe"'})),
            "service-without-program",
        ),
        (_things(INSTALLED, "service", Thing("Svc", {"image path": EXE})), "service-path-unquoted"),
        (
            replace(INSTALLED, uninstall={**INSTALLED.uninstall, f"{UNINSTALL}\\Ninja_is1": ENTRY}),
            "registered-twice",
        ),
        (
            replace(
                INSTALLED,
                uninstall={f"{UNINSTALL}\\N": UninstallEntry("", {"displayversion": "1.12.0"}), **CLEAN.uninstall},
            ),
            "version-registered",
        ),
        (_path(*CLEAN.system_path.entries, r'"C:\Program Files\Ninja"'), "path-entry-quoted"),
        (_path(*INSTALLED.system_path.entries, r"%ProgramFiles%\ninja"), "path-entry-twice"),
        (_path(*CLEAN.system_path.entries, r"C:\Program Files\Ninja\bin"), "path-entry-without-folder"),
        (_path(r"C:\Windows\System32", r"C:\Tools", r"C:\Program Files\Ninja"), "path-entry-rewritten"),
        (
            _things(INSTALLED, "service", Thing("Svc", {"image path": r"%ProgramFiles%\Ninja.exe -run"})),
            "service-path-unquoted",
        ),
        (
            _things(INSTALLED, "service", Thing("Svc", {"image path": r"C:\Users\me\AppData\svc.exe"})),
            "service-in-profile",
        ),
        (_entry(systemcomponent="0x1"), "hidden-from-list"),
        (_entry(uninstallstring=r'"C:\Program Files\Ninja\unins000.exe" /x'), "removal-without-program"),
        (_entry(quietuninstallstring=r"C:\Program Files\Ninja\gone.exe /S"), "removal-without-program"),
    ],
)
def test_each_defect_of_an_installation_is_found_by_its_rule(after: State, code: str) -> None:
    """One defect, one finding, of the code that stands for it."""
    assert _codes(after) == [code]


def test_a_defect_names_the_thing_and_its_cause() -> None:
    """The sentence says what was done to what; the cause is a class that somebody can act on."""
    after = _path(r"%SystemRoot%\system32", r"C:\Program Files\Ninja")
    (found,) = findings(Phase(what="install", version="1.13.0", clean=CLEAN, before=CLEAN, after=after))
    assert found.sentence == r"installing 1.13.0 took C:\Tools out of the system PATH"
    assert (found.cause, found.subject) == (Cause.PACKAGING, r"C:\Tools")
    assert found.cause.is_products


def test_an_entry_that_can_be_removed_and_a_bundle_that_hides_its_parts_draw_nothing() -> None:
    """A program that is there, one of Windows' own, and hidden entries beside one that shows."""
    assert _codes(_entry(uninstallstring=f'"{EXE}" /x', quietuninstallstring="MsiExec.exe /X{0}")) == []
    assert _codes(_entry(uninstallstring=r'"C:\Program Files\Ninja\bin\..\ninja" /x')) == []
    assert _codes(_entry(uninstallstring="C:/Program Files/Ninja/ninja.exe /x")) == []
    both = _entry(displayname="Ninja part", systemcomponent="0x1")
    assert _codes(replace(both, uninstall={**both.uninstall, f"{UNINSTALL}\\Bundle": ENTRY})) == []


def test_what_nobody_looked_at_in_between_is_not_laid_on_the_removal() -> None:
    """It was changed by the installation or by the removal, and that is what is said."""
    before = replace(CLEAN, things={})
    after = _things(CLEAN, "vendor key", without="other")
    told = findings(Phase(what="uninstall", version="1.13.0", clean=CLEAN, before=before, after=after))
    assert [one.sentence for one in told] == [
        "installing or uninstalling 1.13.0 removed vendor key Other, another program's"
    ]


def test_an_upgrade_that_leaves_the_old_entry_registered_is_found() -> None:
    """Two versions in the list of programs, of which one was there before the upgrade."""
    both = replace(INSTALLED, uninstall={**INSTALLED.uninstall, f"{UNINSTALL}\\Ninja2": ENTRY})
    assert _codes(both, what="upgrade", before=INSTALLED) == ["registered-twice"]


def test_what_an_uninstallation_leaves_is_found_unless_it_is_allowed() -> None:
    """The product's file decides what may stay: a path, the name of a thing, or its whole key as people write it."""
    left = replace(CLEAN, files={**CLEAN.files, r"C:\ProgramData\Ninja\log.txt": Entry(1, "2")})
    assert _codes(left, what="uninstall", before=INSTALLED) == ["left-behind"]
    assert _codes(left, what="uninstall", before=INSTALLED, allows=lambda it: it.endswith("log.txt")) == []
    kept = _things(CLEAN, "vendor key", Thing("Ninja", {}, r"HKEY_LOCAL_MACHINE\SOFTWARE\Ninja"))
    assert _codes(kept, what="uninstall", before=INSTALLED) == ["left-behind"]
    for name in ("Ninja", r"HKLM\SOFTWARE\Ninja"):
        assert _codes(kept, what="uninstall", before=INSTALLED, allows=name.__eq__) == [], name


def test_work_for_the_next_start_is_told_of_the_products_own_files_unless_a_restart_was_asked_for() -> None:
    """Exit code 0 and a file that goes at the next start is a restart unsaid; what others leave to do is theirs."""
    copy = r"C:\Users\me\AppData\Local\Temp\~nsu1.tmp"
    waits = (Thing(path, {"value": "is removed"}) for path in (EXE, r"C:\Windows\explorer.exe", copy))
    after = replace(CLEAN, things={**CLEAN.things, NEXT_START: {one.name.lower(): one for one in waits}})
    clean = replace(CLEAN, things={**CLEAN.things, NEXT_START: {}})
    before = replace(INSTALLED, files={**INSTALLED.files, copy: Entry(None, "")})
    phase = Phase(clean=clean, before=before, after=after, what="uninstall", version="1.13.0")
    (found,) = findings(phase)
    assert (found.code, found.cause, found.subject) == ("restart-untold", Cause.REBOOT, EXE)
    assert found.sentence.endswith(f"no exit code says so: {EXE} is removed when Windows starts next")
    assert findings(replace(phase, restart_asked=True)) == ()


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\ROOT\Certificates", "made the machine trust"),
        (r"HKEY_CURRENT_USER\SOFTWARE\Microsoft\SystemCertificates\Root\Certificates", "made the account trust"),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\CA\Certificates", ""),
    ],
)
def test_a_certificate_is_trusted_by_whose_roots_it_joins(at: str, words: str) -> None:
    """Roots are trusted, the machine's by everybody and an account's by itself; what only completes chains is not."""
    added = _things(INSTALLED, "certificate", Thing("AB" * 20, {}, f"{at}\\{'AB' * 20}"))
    sentences = [
        one.sentence
        for one in findings(Phase(clean=CLEAN, before=CLEAN, after=added, what="install", version="1.13.0"))
    ]
    assert [words in sentence for sentence in sentences] == [True] * bool(words)


def test_a_registered_version_that_the_product_declares_is_not_judged_again() -> None:
    """What the product's file says of its entry is proven elsewhere."""
    odd = replace(INSTALLED, uninstall={**CLEAN.uninstall, "N": UninstallEntry("", {"displayversion": "7"})})
    assert _codes(odd, registers="7") == []


def test_a_failed_upgrade_is_held_against_the_state_right_before_it() -> None:
    """What the old version had installed is no finding; what the failed one left or took is."""
    lost = replace(INSTALLED, files=CLEAN.files)
    assert _codes(lost, what="failed upgrade", before=INSTALLED) == [
        "not-rolled-back"
    ]  # the file; its folder goes without saying


def test_a_registry_that_refuses_nobody_is_left_out() -> None:
    """Where a standard user may write to the machine's registry, only files tell whether he was refused."""
    wrote = _things(CLEAN, "vendor key", Thing("Ninja"))
    assert _codes(wrote, what="refused installation") == ["refused-and-left"]
    assert _codes(wrote, what="refused installation", judges_registry=False) == []


def test_what_was_learned_of_a_snapshot_is_nobodys_doing() -> None:
    """Noise draws no finding in any phase."""
    noisy = replace(CLEAN, files={**CLEAN.files, r"C:\ProgramData\Acme\7.log": Entry(1, "2")})
    learned = Learned(frozenset({("file", r"c:\programdata\acme\#.log")}))
    assert _codes(noisy, what="uninstall", learned=learned) == []
    assert _codes(noisy, what="uninstall") == ["left-behind"]


def test_what_the_old_version_brought_and_the_new_one_leaves_is_an_orphan() -> None:
    """It is told from what the new version left, by the state in which the old one alone was there."""
    dll, run = r"C:\Program Files\Ninja\old.dll", r"C:\Program Files\Ninja\new.log"
    old = replace(INSTALLED, files={**INSTALLED.files, dll: Entry(5, "2")})
    left = replace(
        CLEAN, files={**CLEAN.files, r"C:\Program Files\Ninja": FOLDER, dll: Entry(5, "2"), run: Entry(1, "3")}
    )
    told: dict[str, Any] = {
        "what": "uninstall",
        "version": "1.13.0",
        "clean": CLEAN,
        "before": INSTALLED,
        "after": left,
    }
    found = {one.subject: one for one in findings(Phase(old="1.11.1", replaced=old, **told))}
    assert (found[dll].code, found[run].code) == ("orphaned", "left-behind")
    assert found[dll].sentence.endswith(r"old.dll is left, which 1.11.1 had brought")


def _variable(value: str) -> State:
    variable = Thing("PATHEXT", {"value": value, "type": "REG_SZ"})
    return replace(INSTALLED, things={**INSTALLED.things, "environment variable": {"pathext": variable}})


@pytest.mark.parametrize(
    ("value", "what", "codes"),
    [
        (".COM;.EXE;.PY", "install", []),
        (".PY;.com;.exe", "upgrade", []),
        (".EXE;.PY", "install", ["others-setting"]),
        (".COM;.EXE;.PY", "uninstall", ["others-setting"]),
    ],
)
def test_a_list_may_be_made_longer_and_the_removal_has_to_undo_it(value: str, what: Any, codes: list[str]) -> None:
    """One more entry in PATHEXT takes nothing from anybody, as long as the product is there."""
    clean = _variable(".COM;.EXE")
    told = findings(Phase(what=what, version="1.13.0", clean=clean, before=clean, after=_variable(value)))
    assert [finding.code for finding in told] == codes


def test_paths_of_services_are_not_judged_where_the_guest_writes_no_quotes() -> None:
    """Wine's Windows Installer leaves out the quotes that Windows' own writes: no product's fault."""
    after = _things(INSTALLED, "service", Thing("Svc", {"image path": EXE}))
    assert _codes(after, judges_service_paths=False) == []


def test_a_refused_downgrade_changes_nothing_and_an_allowed_one_is_registered_once() -> None:
    """What a refusal changed is told as what was not undone; two versions side by side are told as after an upgrade."""
    without = {path: entry for path, entry in INSTALLED.files.items() if path != EXE}
    assert _codes(INSTALLED, what="refused downgrade", before=INSTALLED) == []
    assert _codes(replace(INSTALLED, files=without), what="refused downgrade", before=INSTALLED) == ["not-rolled-back"]
    older = UninstallEntry("", {"displayname": "Ninja", "displayversion": "1.11.1"})
    both = replace(INSTALLED, uninstall={**INSTALLED.uninstall, f"{UNINSTALL}\\Ninja-1.11.1": older})
    assert "registered-twice" in _codes(both, what="downgrade", before=INSTALLED, version="1.11.1", old="1.13.0")
