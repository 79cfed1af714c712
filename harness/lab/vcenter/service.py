"""The service itself: what it offers, finding things in the inventory, and views of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from harness.lab.vcenter import description
from harness.lab.vcenter.entities import Entity, entity_at
from harness.lab.vcenter.objects import Inventory, Served, answers, is_kind, missing, shows
from harness.lab.vcenter.places import Datacenter, Host, Pool
from harness.lab.vcenter.sessions import Session
from harness.lab.vcenter.soap import Call, versions, vim, vmodl
from harness.lab.vcenter.unserved import unserved
from harness.lab.vcenter.virtualmachine import VirtualMachine

PRODUCT = "pytest-wincompat lab"


class ServiceInstance(Served):
    """The root of everything a client sees: what this is, and where its parts are."""

    kind = vim.ServiceInstance

    def __init__(self, root: Entity, instance: str, release: str) -> None:
        super().__init__("ServiceInstance")
        self.root, self.instance, self.release = root, instance, release
        #: what is named in the content and says no
        self.unserved: dict[str, Served] = {}
        content = self.content()
        served = {info.name for info in content._GetPropertyList() if getattr(content, info.name) is not None}
        self.unserved.update(unserved(vim.ServiceInstanceContent, served))

    @shows("content")
    @answers("RetrieveServiceContent")
    def content(self, _: Call | None = None) -> Any:
        """Name the parts as clients ask for them; the product line says that this is a lab."""
        api = versions()[0]
        about = vim.AboutInfo(
            name=PRODUCT,
            fullName=f"{PRODUCT} {self.release}",
            vendor="pytest-wincompat",
            version=api,
            build=self.release,
            osType="linux-x64",
            productLineId="wincompat-lab",
            apiType="VirtualCenter",
            apiVersion=api,
            instanceUuid=self.instance,
            localeVersion="INTL",
            localeBuild="000",
        )
        return vim.ServiceInstanceContent(
            rootFolder=self.root.ref,
            propertyCollector=vmodl.query.PropertyCollector("propertyCollector"),
            viewManager=vim.view.ViewManager("ViewManager"),
            about=about,
            sessionManager=vim.SessionManager("SessionManager"),
            searchIndex=vim.SearchIndex("SearchIndex"),
            taskManager=vim.TaskManager("TaskManager"),
            fileManager=vim.FileManager("FileManager"),
            customFieldsManager=vim.CustomFieldsManager("CustomFieldsManager"),
            customizationSpecManager=vim.CustomizationSpecManager("CustomizationSpecManager"),
            authorizationManager=vim.AuthorizationManager("AuthorizationManager"),
            eventManager=vim.event.EventManager("EventManager"),
            guestOperationsManager=vim.vm.guest.GuestOperationsManager("guestOperationsManager"),
            **{name: part.ref for name, part in self.unserved.items()},
        )

    @shows("capability")
    def _capability(self) -> Any:
        return vim.Capability(provisioningSupported=True, multiHostSupported=True, userShellAccessSupported=False)

    @shows("serverClock")
    @answers("CurrentTime")
    def _clock(self, _: Call | None = None) -> datetime:
        return datetime.now(UTC)


class SearchIndex(Served):
    """Finds entities by path, address, name or identifier."""

    kind = vim.SearchIndex

    def __init__(self, inventory: Inventory, root: Entity) -> None:
        super().__init__("SearchIndex")
        self.inventory, self.root = inventory, root

    @answers("FindByInventoryPath")
    def _by_path(self, call: Call) -> Any:
        found = entity_at(self.root, call["inventoryPath"])
        return found and found.ref

    @answers("FindChild")
    def _child(self, call: Call) -> Any:
        entity = self.inventory.find(call["entity"])
        children = entity.children if isinstance(entity, Entity) else []
        return next((child.ref for child in children if child.name == call["name"]), None)

    @answers("FindByUuid", "FindAllByUuid")
    def _by_uuid(self, call: Call) -> Any:
        wanted, of_instance = (call["uuid"] or "").casefold(), bool(call["instanceUuid"])
        return self._found(call, lambda vm: (vm.instance_uuid if of_instance else vm.uuid).casefold() == wanted)

    @answers("FindByDatastorePath")
    def _by_datastore_path(self, call: Call) -> Any:
        if not isinstance(self.inventory.find(call["datacenter"]), Datacenter):
            raise missing(call["datacenter"])
        machines = [thing for thing in self.inventory.objects.values() if isinstance(thing, VirtualMachine)]
        return next((vm.ref for vm in machines if description.vmx_path(vm) == call["path"]), None)

    @answers("FindByDnsName", "FindAllByDnsName")
    def _by_name(self, call: Call) -> Any:
        return self._found(
            call, lambda vm: vm.host_name.casefold() == (call["dnsName"] or "").casefold() and vm.guest.is_up
        )

    @answers("FindByIp", "FindAllByIp")
    def _by_address(self, call: Call) -> Any:
        return self._found(call, lambda vm: vm.address == call["ip"] and vm.guest.is_up)

    def _found(self, call: Call, fits: Callable[[VirtualMachine], bool]) -> Any:
        machines = [thing for thing in self.inventory.objects.values() if isinstance(thing, VirtualMachine)]
        found = [vm.ref for vm in machines if call["vmSearch"] and fits(vm)]
        return found if call.method.name.startswith("FindAll") else next(iter(found), None)


class ViewManager(Served):
    """Makes views: lists of entities that a property collector can walk. A view belongs to the session that made it."""

    kind = vim.view.ViewManager

    def __init__(self, session: Session) -> None:
        super().__init__("ViewManager")
        self.session = session

    @shows("viewList")
    def _views(self) -> Any:
        return [thing.ref for thing in self.session.own.values() if isinstance(thing, View)]

    @answers("CreateContainerView")
    def _container(self, call: Call) -> Any:
        container = self.session.sight.inventory.find(call["container"])
        if not isinstance(container, Entity):
            raise missing(call["container"])
        return self._keep(ContainerView(self._moid(), self.session, container, call["type"] or [], call["recursive"]))

    @answers("CreateListView")
    def _list(self, call: Call) -> Any:
        return self._keep(ListView(self._moid(), self.session, list(call["obj"] or [])))

    def _moid(self) -> str:
        return f"session[{self.session.key}]{self.session.sight.inventory.number('view')}"

    def _keep(self, view: View) -> Any:
        self.session.own[view.moid] = view
        return view.ref


class View(Served):
    """A list of entities that a session made for itself."""

    kind = vim.view.View

    def __init__(self, moid: str, session: Session) -> None:
        super().__init__(moid)
        self.session = session

    @answers("DestroyView")
    def _destroy(self, _: Call) -> None:
        self.session.own.pop(self.moid, None)


class ContainerView(View):
    """Everything of some kinds below an entity, always as it is now."""

    kind = vim.view.ContainerView

    def __init__(self, moid: str, session: Session, container: Entity, kinds: list[Any], recursive: bool) -> None:
        super().__init__(moid, session)
        self.container, self.kinds, self.recursive = container, kinds, recursive

    @shows("view")
    def _view(self) -> Any:
        found: dict[str, Entity] = {}
        self._walk(self.container, found)
        return [entity.ref for entity in found.values() if is_kind(entity, self.kinds)]

    def _walk(self, container: Entity, found: dict[str, Entity]) -> None:
        # a host and a pool contain machines as well, which are in a folder all the same: each is told once
        runs = container.property("vm") if isinstance(container, Host | Pool) else ()
        machines = [self.session.sight.get(reference) for reference in runs]
        for child in (*container.children, *machines):
            if isinstance(child, Entity) and child.moid not in found:
                found[child.moid] = child
                if self.recursive:
                    self._walk(child, found)

    @shows("container")
    def _container(self) -> Any:
        return self.container.ref

    @shows("type")
    def _type(self) -> Any:
        return self.kinds

    @shows("recursive")
    def _recursive(self) -> bool:
        return self.recursive


class ListView(View):
    """Entities that the client named itself; those that are gone are left out."""

    kind = vim.view.ListView

    def __init__(self, moid: str, session: Session, named: list[Any]) -> None:
        super().__init__(moid, session)
        self.named = named

    @shows("view")
    def _view(self) -> Any:
        return [reference for reference in self.named if self.session.sight.get(reference) is not None]

    @answers("ModifyListView")
    def _modify(self, call: Call) -> Any:
        absent = [reference for reference in call["add"] or [] if self.session.sight.get(reference) is None]
        self.named = [reference for reference in self.named if reference not in (call["remove"] or [])]
        self.named += [
            reference for reference in call["add"] or [] if reference not in absent and reference not in self.named
        ]
        return absent
