// A vSphere client that nobody here wrote, govmomi as Debian packages it, against the lab's vCenter.
//
// Usage: govmomi https://user:password@host:port/sdk ca.pem; prints one line for each thing that went as it should.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

var ctx = context.Background()

func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T %v\n", err, err)
		os.Exit(1)
	}
}

func done(task *object.Task, err error) types.AnyType {
	must(err)
	info, err := task.WaitForResult(ctx, nil)
	must(err)
	return info.Result
}

func expect(holds bool, words string) {
	if !holds {
		fmt.Fprintln(os.Stderr, "not so:", words)
		os.Exit(1)
	}
	fmt.Println(words)
}

func properties(vm *object.VirtualMachine) mo.VirtualMachine {
	var found mo.VirtualMachine
	must(vm.Properties(ctx, vm.Reference(), nil, &found))
	return found
}

func main() {
	address, err := url.Parse(os.Args[1])
	must(err)
	transport := soap.NewClient(address, false)
	must(transport.SetRootCAs(os.Args[2]))
	base, err := vim25.NewClient(ctx, transport)
	must(err)
	client := &govmomi.Client{Client: base, SessionManager: session.NewManager(base)}
	must(client.Login(ctx, address.User))
	mine, err := client.SessionManager.UserSession(ctx)
	must(err)
	expect(mine.UserName == "administrator@lab.local", "logged in")

	finder := find.NewFinder(base, true)
	center, err := finder.DefaultDatacenter(ctx)
	must(err)
	finder.SetDatacenter(center)
	machines, err := finder.VirtualMachineList(ctx, "*/*")
	must(err)
	expect(len(machines) == 2, "found both machines")
	vm := machines[0]
	expect(properties(vm).Config.GuestFullName != "", "read every property of a machine")

	done(vm.PowerOn(ctx))
	ip, err := vm.WaitForIP(ctx)
	must(err)
	expect(ip == "127.0.0.11", "waited for its address")
	done(vm.CreateSnapshot(ctx, "live", "", true, false))
	done(vm.PowerOff(ctx))
	done(vm.RevertToSnapshot(ctx, "clean/live", false))
	now := properties(vm)
	expect(now.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn, "reverted to a snapshot with memory")
	expect(now.Snapshot.RootSnapshotList[0].ChildSnapshotList[0].State == now.Runtime.PowerState, "whose state is on")

	result := done(vm.InstantClone(ctx, types.VirtualMachineInstantCloneSpec{Name: "instant"}))
	clone := object.NewVirtualMachine(base, result.(types.ManagedObjectReference))
	expect(properties(clone).Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn, "made an instant clone")

	fields := object.NewCustomFieldsManager(base)
	field, err := fields.Add(ctx, "wincompat.run", "VirtualMachine", nil, nil)
	must(err)
	must(fields.Set(ctx, clone.Reference(), field.Key, "r1"))
	value := properties(clone).CustomValue[0].(*types.CustomFieldStringValue)
	expect(value.Key == field.Key && value.Value == "r1", "set a custom attribute")

	api := rest.NewClient(base)
	must(api.Login(ctx, address.User))
	tagging := tags.NewManager(api)
	category, err := tagging.CreateCategory(ctx, &tags.Category{
		Name: "pool", Cardinality: "SINGLE", AssociableTypes: []string{"VirtualMachine"},
	})
	must(err)
	tag, err := tagging.CreateTag(ctx, &tags.Tag{Name: "free", CategoryID: category})
	must(err)
	must(tagging.AttachTag(ctx, tag, clone))
	carriers, err := tagging.ListAttachedObjects(ctx, tag)
	must(err)
	expect(len(carriers) == 1 && carriers[0].Reference() == clone.Reference(), "attached a tag")
	carried, err := tagging.GetAttachedTags(ctx, clone)
	must(err)
	expect(len(carried) == 1 && carried[0].Name == "free", "listed a machine's tags")
	byName, err := tagging.GetTagForCategory(ctx, "free", "pool")
	must(err)
	expect(byName.ID == tag, "found a tag by its name")
	must(tagging.DetachTag(ctx, tag, clone))
	must(api.Logout(ctx))

	rights := object.NewAuthorizationManager(base)
	granted, err := rights.FetchUserPrivilegeOnEntities(
		ctx, []types.ManagedObjectReference{vm.Reference()}, "administrator@lab.local")
	must(err)
	expect(len(granted[0].Privileges) > 10, "fetched privileges")
	has, err := rights.HasPrivilegeOnEntity(ctx, vm.Reference(), mine.Key, []string{"VirtualMachine.Interact.PowerOn"})
	must(err)
	expect(has[0], "asked for a privilege")

	events, err := event.NewManager(base).QueryEvents(ctx, types.EventFilterSpec{
		Entity:      &types.EventFilterSpecByEntity{Entity: vm.Reference(), Recursion: types.EventFilterSpecRecursionOptionSelf},
		EventTypeId: []string{"VmPoweredOnEvent", "VmResumingEvent"},
	})
	must(err)
	expect(len(events) == 2, "queried events")

	all := types.EventFilterSpec{}
	history, err := event.NewManager(base).CreateCollectorForEvents(ctx, all)
	must(err)
	page, err := history.ReadNextEvents(ctx, 3)
	must(err)
	expect(len(page) == 3, "read a page of the events")
	must(history.Destroy(ctx))
	asked, err := methods.CreateCollectorForTasks(ctx, base, &types.CreateCollectorForTasks{
		This: *base.ServiceContent.TaskManager,
		Filter: types.TaskFilterSpec{
			Entity: &types.TaskFilterSpecByEntity{Entity: vm.Reference(), Recursion: types.TaskFilterSpecRecursionOptionSelf},
		},
	})
	must(err)
	tasks, err := methods.ReadNextTasks(ctx, base, &types.ReadNextTasks{This: asked.Returnval, MaxCount: 100})
	must(err)
	expect(tasks.Returnval[0].DescriptionId == "VirtualMachine.powerOn", "read the history of tasks")

	isInstance := true
	found, err := object.NewSearchIndex(base).FindByUuid(ctx, center, properties(vm).Config.InstanceUuid, true, &isInstance)
	must(err)
	expect(found.Reference() == vm.Reference(), "found it by the identifier of its instance")
	_, err = methods.QueryPerfProviderSummary(ctx, base, &types.QueryPerfProviderSummary{
		This: *base.ServiceContent.PerfManager, Entity: vm.Reference(),
	})
	_, isRefused := soap.ToSoapFault(err).VimFault().(types.NotSupported)
	expect(isRefused, "was refused what the lab does not serve")

	done(clone.PowerOff(ctx))
	done(clone.Destroy(ctx))
	must(client.Logout(ctx))
	fmt.Println("logged out")
}
