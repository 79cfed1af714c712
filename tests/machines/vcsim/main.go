// A vCenter simulator that nobody here wrote: govmomi's, as Debian packages it (golang-github-vmware-govmomi-dev).
//
// Usage: vcsim [-idle DURATION] [-busy TIMES] [-fault KIND] server.pem; prints "ready host:port" and lives until its
// standard input ends. With -idle a session that nobody uses ends after that time; with -busy the machines' first
// power-offs end with the fault, TaskInProgress or InvalidState.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync/atomic"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator" // tags
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

var (
	busy  = flag.Int("busy", 0, "how many power-offs end with the fault")
	fault = flag.String("fault", "TaskInProgress", "TaskInProgress or InvalidState")
	tried int32
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// refusing is a machine whose first tasks to power it off end with a fault, as in govmomi's own example.
type refusing struct {
	*simulator.VirtualMachine
}

// Get gives the property collector the machine itself.
func (vm *refusing) Get() mo.Reference {
	return vm.VirtualMachine
}

func (vm *refusing) PowerOffVMTask(ctx *simulator.Context, req *types.PowerOffVM_Task) soap.HasFault {
	if atomic.AddInt32(&tried, 1) > int32(*busy) {
		return vm.VirtualMachine.PowerOffVMTask(ctx, req)
	}
	task := simulator.CreateTask(req.This, "powerOff", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		if *fault == "InvalidState" {
			return nil, &types.InvalidState{}
		}
		return nil, &types.TaskInProgress{Task: types.ManagedObjectReference{Type: "Task", Value: "task-0"}}
	})
	return &methods.PowerOffVM_TaskBody{Res: &types.PowerOffVM_TaskResponse{Returnval: task.Run()}}
}

func main() {
	flag.DurationVar(&simulator.SessionIdleTimeout, "idle", 0, "after how long a session ends that nobody uses")
	flag.Parse()
	pair, err := tls.LoadX509KeyPair(flag.Arg(0), flag.Arg(0))
	must(err)
	model := simulator.VPX()
	must(model.Create())
	defer model.Remove()
	if *busy > 0 {
		for _, vm := range simulator.Map.All("VirtualMachine") {
			simulator.Map.Put(&refusing{vm.(*simulator.VirtualMachine)})
		}
	}
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	model.Service.Listen = &url.URL{Scheme: "https", Host: "127.0.0.1:0", User: url.UserPassword("tester", "secret")}
	model.Service.RegisterEndpoints = true
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println("ready", server.URL.Host)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
