"""Who may do what: roles, permissions, and whether a user has a privilege on an entity."""

from __future__ import annotations

from functools import cache
from typing import Any

from harness.lab.vcenter.entities import Entity
from harness.lab.vcenter.objects import Served, answers, shows
from harness.lab.vcenter.sessions import FURTHER, PRIVILEGES, READING, Sessions, User
from harness.lab.vcenter.soap import Call, method, vim
from harness.lab.vcenter.trouble import Trouble
from harness.lab.vcenter.virtualmachine import VirtualMachine

_ADMIN, _READ_ONLY = -1, -2


class Authorization(Served):
    """The privileges of every user, less those that the lab was asked to refuse."""

    kind = vim.AuthorizationManager

    def __init__(self, sessions: Sessions, trouble: Trouble, root: Entity) -> None:
        super().__init__("AuthorizationManager")
        self.sessions, self.trouble, self.root = sessions, trouble, root

    @shows("privilegeList")
    def _privileges(self) -> Any:
        parts = [(each, *each.rpartition(".")) for each in sorted(privileges())]
        return [
            vim.AuthorizationManager.Privilege(privId=each, onParent=False, name=name, privGroupName=group)
            for each, group, _, name in parts
        ]

    @shows("roleList")
    def _roles(self) -> Any:
        return [
            vim.AuthorizationManager.Role(
                roleId=number, system=True, name=name, info=vim.Description(label=name, summary=name), privilege=granted
            )
            for number, name, granted in (
                (_ADMIN, "Admin", sorted(privileges())),
                (_READ_ONLY, "ReadOnly", sorted(READING)),
            )
        ]

    @answers("RetrieveEntityPermissions", "RetrieveAllPermissions")
    def _permissions(self, _: Call) -> Any:
        return [
            vim.AuthorizationManager.Permission(
                entity=self.root.ref,
                principal=user.name,
                group=False,
                roleId=_READ_ONLY if user.read_only else _ADMIN,
                propagate=True,
            )
            for user in self.sessions.users.values()
        ]

    @answers("HasPrivilegeOnEntities", "HasPrivilegeOnEntity")
    def _session_has(self, call: Call) -> Any:
        open_now = {session.key: session.user for session in self.sessions.open.values()}
        user = open_now.get(call["sessionId"])
        if call.method.name == "HasPrivilegeOnEntity":
            return [self._has(user, call["entity"], privilege) for privilege in call["privId"]]
        return [self._availability(user, entity, call["privId"]) for entity in call["entity"]]

    @answers("HasUserPrivilegeOnEntities")
    def _user_has(self, call: Call) -> Any:
        user = self._user(call)
        return [self._availability(user, entity, call["privId"] or []) for entity in call["entities"]]

    @answers("FetchUserPrivilegeOnEntities")
    def _fetch(self, call: Call) -> Any:
        user = self._user(call)
        return [
            vim.AuthorizationManager.UserPrivilegeResult(
                entity=entity, privileges=[each for each in sorted(privileges()) if self._has(user, entity, each)]
            )
            for entity in call["entities"]
        ]

    def _user(self, call: Call) -> User | None:
        # users are known by either of their spellings: administrator@lab.local, LAB.LOCAL\administrator
        domain, _, name = call["userName"].casefold().rpartition("\\")
        return self.sessions.users.get(f"{name}@{domain}" if domain else name)

    def _availability(self, user: User | None, entity: Any, wanted: list[str]) -> Any:
        return vim.AuthorizationManager.EntityPrivilege(
            entity=entity,
            privAvailability=[
                vim.AuthorizationManager.PrivilegeAvailability(privId=each, isGranted=self._has(user, entity, each))
                for each in wanted
            ],
        )

    def _has(self, user: User | None, entity: Any, privilege: str) -> bool:
        thing = self.sessions.inventory.find(entity)
        if user is None or (user.read_only and privilege not in READING):
            return False
        return not self.trouble.lacks(thing.name if isinstance(thing, VirtualMachine) else "", privilege)


@cache
def privileges() -> frozenset[str]:
    """Name every privilege that something in the lab asks for."""
    kinds: list[type[Served]] = [Served]
    names: set[str] = set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        names.update(kind.methods)
    asked = {method(name).privilege for name in names} | set(PRIVILEGES.values())
    return frozenset({each for each in asked if each} | {each for more in FURTHER.values() for each in more} | READING)
