package processes

import "os/exec"

// place is where a process runs.
type place struct {
	addr  string // that it binds
	start func(*exec.Cmd) error
}

// network is where the processes of a swarm run.
type network interface {
	tracker() place
	node(i int) place
	// cut separates every second node from the others and from the tracker, until
	// heal.
	cut()
	heal()
	close()
}

// loopback is the address of this machine that reaches no other one.
const loopback = "127.0.0.1"

// shared is the loopback interface, which all processes share. It has no links
// to cut, and Playable refuses what would cut them.
type shared struct{}

func (shared) tracker() place { return place{loopback, (*exec.Cmd).Start} }
func (shared) node(int) place { return place{loopback, (*exec.Cmd).Start} }
func (shared) cut()           {}
func (shared) heal()          {}
func (shared) close()         {}
