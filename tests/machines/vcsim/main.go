// A vCenter simulator that nobody here wrote: govmomi's, as Debian packages it (golang-github-vmware-govmomi-dev).
//
// Usage: vcsim server.pem; prints "ready host:port" and lives until its standard input ends.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	pair, err := tls.LoadX509KeyPair(os.Args[1], os.Args[1])
	must(err)
	model := simulator.VPX()
	must(model.Create())
	defer model.Remove()
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	model.Service.Listen = &url.URL{Scheme: "https", Host: "127.0.0.1:0", User: url.UserPassword("tester", "secret")}
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println("ready", server.URL.Host)
	_, _ = io.Copy(io.Discard, os.Stdin)
}
