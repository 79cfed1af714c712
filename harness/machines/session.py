"""A logged-in session with a vCenter, and the reading of properties in one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyVmomi import vim, vmodl

from harness.machines.stub import NotUnderstood, Stub, api_version, trust
from harness.site import Site

FAREWELL = 2.0
"""Seconds for the log-out from a vCenter that has just been waited for in vain."""


class Unseen(NotUnderstood):
    """Not even the object that was asked for is in the answer, as for a session that has ended and is not told so."""


class Session:
    """One log-in, kept for as long as it is needed and shared by threads; what it raises is foreign."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.vcenter.password.read()  # a secret that is not there is said before anything is sent
        self.tls = trust(site.vcenter)
        host, port, timeout = site.vcenter.host, site.vcenter.port, site.budgets.request
        version = api_version(host, port, tls=self.tls, timeout=timeout)
        self.stub = Stub(host, port, version=version, tls=self.tls, timeout=timeout)
        try:
            self.content: Any = vim.ServiceInstance("ServiceInstance", self.stub).RetrieveContent()
            self._log_in()
        except BaseException:
            self.stub.DropConnections()  # type: ignore[no-untyped-call]  # pyVmomi's core has no annotations
            raise
        self.stub.log_in = self._log_in

    def _log_in(self) -> None:
        # the secret is read anew and never held in a variable, where a traceback could show it
        self.content.sessionManager.Login(self.site.vcenter.user, self.site.vcenter.password.read().get_secret_value())

    def log_out(self) -> None:
        """End the session on the vCenter and close every connection; whatever fails, nothing is left open here."""
        self.stub.log_in = None
        if self.stub.is_silent:
            self.stub.hurry(FAREWELL)
        try:
            self.content.sessionManager.Logout()
        finally:
            self.stub.DropConnections()  # type: ignore[no-untyped-call]  # as above

    @property
    def cookie(self) -> str:
        """The session cookie as a client sends it back."""
        return str(self.stub.cookie).split(";", 1)[0]

    def read(self, thing: Any, *paths: str) -> dict[str, Any]:
        """Read some properties of one object in one call; an unset property is absent."""
        session = self.stub.session
        try:
            return self._read(thing, paths)
        except (vim.fault.NotAuthenticated, Unseen):  # told where the stub cannot see it: in the answer's content
            self.stub.renew(session)
        return self._read(thing, paths)

    def touch(self) -> None:
        """Make the smallest call there is, so that the vCenter sees the session in use."""
        vim.ServiceInstance("ServiceInstance", self.stub).CurrentTime()

    def _read(self, thing: Any, paths: tuple[str, ...]) -> dict[str, Any]:
        found = self.retrieve([vmodl.query.PropertyCollector.ObjectSpec(obj=thing)], {type(thing): paths})
        if not found:
            raise Unseen(f"RetrievePropertiesEx was answered with nothing at all about {thing._moId}")
        for missing in found[0].missingSet or ():
            if isinstance(missing.fault, vim.fault.NoPermission):
                raise missing.fault
        return {prop.name: prop.val for prop in found[0].propSet or ()}

    def retrieve(self, objects: list[Any], paths: dict[type[Any], tuple[str, ...]]) -> list[Any]:
        """Read properties of many objects, page by page where the vCenter hands them out so."""
        spec = vmodl.query.PropertyCollector.FilterSpec(
            objectSet=objects,
            propSet=[
                vmodl.query.PropertyCollector.PropertySpec(type=kind, all=False, pathSet=list(names))
                for kind, names in paths.items()
            ],
        )
        collector = self.content.propertyCollector
        page = collector.RetrievePropertiesEx([spec], vmodl.query.PropertyCollector.RetrieveOptions())
        found: list[Any] = []
        while page is not None:
            found += page.objects or ()
            page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
        return found

    @contextmanager
    def everything_of(self, kinds: list[type[Any]], *, below: Any = None) -> Iterator[list[Any]]:
        """Name, for ``retrieve``, every object of some kinds in the inventory, by a view that is given back.

        ``below`` is the folder to look in, the whole inventory unless told.
        """
        view = self.content.viewManager.CreateContainerView(below or self.content.rootFolder, kinds, True)
        step = vmodl.query.PropertyCollector.TraversalSpec(
            name="view", type=vim.view.ContainerView, path="view", skip=False
        )
        try:
            yield [vmodl.query.PropertyCollector.ObjectSpec(obj=view, skip=True, selectSet=[step])]
        finally:
            view.DestroyView()
