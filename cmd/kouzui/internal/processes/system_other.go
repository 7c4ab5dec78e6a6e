//go:build !linux

package processes

import (
	"errors"
	"os/exec"
	"syscall"

	"kouzui/actors/lab"
)

// Supported is nil where swarms of processes can be played: no other kernel
// ends the processes with the program that has started them.
func Supported() error {
	return errors.New("swarms of processes can be played on Linux only")
}

// EnterNamespace is for Linux.
func EnterNamespace() error { return Supported() }

func newNamespaces(*lab.Scenario) (network, error) { return nil, Supported() }

func attributes() *syscall.SysProcAttr { return nil }

func apart(*exec.Cmd) {}

func room(string) (int64, error) { return 0, Supported() }
