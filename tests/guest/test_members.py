"""Who became an administrator, or a member of a new group, is read in any language and with few questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.expectations import Cause, Phase, findings
from harness.guest.outcome import Outcome
from harness.guest.state import State, Thing, changes
from harness.guest.state.members import ADMINISTRATORS, NAMED, with_members

RULE = "-" * 79
ENGLISH = rf"""Alias name     Administrators
Comment        Administrators have complete and unrestricted access to the computer/domain

Members

{RULE}
%s
The command completed successfully.

"""
GERMAN = rf"""Aliasname         Administratoren
Beschreibung      Administratoren haben uneingeschränkten Vollzugriff auf den Computer bzw. die Domäne.

Mitglieder

{RULE}
%s
Der Befehl wurde erfolgreich ausgeführt.

"""
WHOAMI = {
    "Administrators": r'"BUILTIN\Administrators","Alias","S-1-5-32-544","Mandatory group, Enabled group"',
    "Administratoren": r'"VORDEFINIERT\Administratoren","Alias","S-1-5-32-544","Obligatorische Gruppe"',
}
LANGUAGES = pytest.mark.parametrize(
    ("administrators", "form"), [("Administrators", ENGLISH), ("Administratoren", GERMAN)], ids=["English", "German"]
)


class Groups:
    """A guest that answers for its groups, and counts what it is asked."""

    def __init__(self, form: str, **members: list[str]) -> None:
        self.form = form
        self.members = members
        self.asked: list[str] = []

    def ask(self, commands: Sequence[str]) -> list[Outcome]:
        """Answer ``net localgroup "NAME"``."""
        self.asked += commands
        return [self._answer(command, command.split('"')[1]) for command in commands]

    def _answer(self, command: str, name: str) -> Outcome:
        there = name in self.members
        said = self.form % "\n".join(self.members.get(name, [])) if there else "System error 1376 has occurred.\n"
        return Outcome(command=command, exit_code=0 if there else 2, stdout=said, stderr="", seconds=0)


def _state(*groups: str, administrators: str = "") -> State:
    told = {"local group": {group.casefold(): Thing(group) for group in groups}}
    if administrators:
        told["administrators"] = dict(NAMED.read([_said(WHOAMI[administrators])]))
    return State(account="vm\\admin", files={}, uninstall={}, things=told)


def _said(printed: str) -> Outcome:
    others = '"Everyone","Well-known group","S-1-1-0","x"\n"BUILTIN\\Users","Alias","S-1-5-32-545","x"\n'
    return Outcome(command="", exit_code=0, stdout=f"{others}{printed}\n", stderr="", seconds=0)


@LANGUAGES
def test_a_new_administrator_is_named_with_a_finding(administrators: str, form: str) -> None:
    """Who may do everything since the installation is said, whatever the group is called here."""
    before = Groups(form, **{administrators: ["Administrator", r"CORP\Domain Admins"]})
    clean = with_members(_state(administrators, administrators=administrators), None, before.ask)
    after = Groups(form, **{administrators: ["Administrator", r"CORP\Domain Admins", "ninja svc"]})
    now = with_members(_state(administrators), clean, after.ask)
    (change,) = changes(clean, now)
    assert (change.area, change.did, change.subject) == ("group member", "added", f"ninja svc in {administrators}")
    (found,) = findings(Phase(what="install", version="1.0", clean=clean, before=clean, after=now))
    assert (found.code, found.cause) == ("administrator-added", Cause.PERMISSION)
    assert found.sentence == f"installing 1.0 made ninja svc a member of {administrators}, who may do everything"
    (left,) = findings(Phase(what="uninstall", version="1.0", clean=clean, before=now, after=now))
    assert left.sentence == f"after uninstalling 1.0 group member ninja svc in {administrators} is left (S-1-5-32-544)"
    (gone,) = findings(Phase(what="install", version="1.0", clean=now, before=now, after=clean))
    assert gone.code == "others-setting"


@LANGUAGES
def test_only_new_groups_and_the_administrators_are_asked_after(administrators: str, form: str) -> None:
    """A question for each of two dozen groups would cost each cell as many starts."""
    guest = Groups(form, **{administrators: [], "Ninjas": ["ninja"], "Users": ["everybody"]})
    clean = with_members(_state(administrators, "Users", administrators=administrators), None, guest.ask)
    assert guest.asked == [f'net localgroup "{administrators}"']
    now = with_members(_state(administrators, "Users", "Ninjas"), clean, guest.ask)
    assert guest.asked[1:] == [f'net localgroup "{administrators}"', 'net localgroup "Ninjas"']
    assert [str(change) for change in changes(clean, now)] == [
        "local group added: Ninjas",
        "group member added: ninja in Ninjas",
    ]
    assert [
        found.code for found in findings(Phase(what="install", version="1", clean=clean, before=clean, after=now))
    ] == []


def test_where_nobody_tells_who_the_administrators_are_nothing_is_asked() -> None:
    """A lab guest has no accounts to list, and a look in the middle of a scenario lists none."""
    guest = Groups(ENGLISH)
    lab = _state("Administrators")
    assert with_members(lab, None, guest.ask) is lab
    clean = _state("Administrators", administrators="Administrators")
    between = State(account="vm\\admin", files={}, uninstall={}, things={"service": {}})
    assert with_members(between, clean, guest.ask) is between
    assert guest.asked == []


def test_a_group_that_cannot_be_read_has_not_lost_its_members() -> None:
    """A refusal is no empty list."""
    clean = with_members(
        _state(administrators="Administrators"), None, Groups(ENGLISH, Administrators=["Administrator"]).ask
    )
    now = with_members(_state(), clean, Groups(ENGLISH).ask)
    assert "1376" in now.untold["group member"]
    assert changes(clean, now) == ()


def test_a_groups_name_that_cmd_would_read_otherwise_is_not_asked_after() -> None:
    """Names are the installer's choice, and go into a command line."""
    guest = Groups(ENGLISH, Administrators=[])
    clean = with_members(_state(administrators="Administrators"), None, guest.ask)
    with_members(_state("a%TEMP%", 'b"&c', "d^e"), clean, guest.ask)
    assert set(guest.asked) == {'net localgroup "Administrators"'}


def test_the_administrators_are_known_by_their_sid_only() -> None:
    """A group that is only called so is another one."""
    named = NAMED.read([_said('"CORP\\Administrators","Group","S-1-5-21-1-2-3-1105","x"')])
    assert named == {}
    assert NAMED.read([_said(WHOAMI["Administratoren"])])[ADMINISTRATORS].name == "Administratoren"
