//go:build linux

package shaped

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/cmd/internal/tool"
)

// inside is set in the environment of a program that has namespaces of its own.
const inside = "KOUZUI_SHAPED"

// endWithin is how long the program may take to end after an interrupt.
const endWithin = 20 * time.Second

// Alone reports whether this process already has network and mounts of its own.
func Alone() bool { return os.Getenv(inside) != "" }

// RunAlone runs this program again, with the same arguments, in a network and
// with mounts of its own, in which it may call New. The kernel removes all of
// these with the last process there, whatever ends it.
func RunAlone(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return tool.Failure{Code: tool.NotPermitted, Text: "only root can make network namespaces and shape their links"}
	}
	for _, program := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(program); err != nil {
			return tool.Failure{Code: tool.NotPermitted, Text: program + " is not installed: on Debian it is in iproute2"}
		}
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, // which makes mounts private, too
		Pdeathsig:    syscall.SIGTERM,
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = endWithin
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() > 0: // it has said why
		return tool.Failure{Code: exit.ExitCode()}
	case errors.Is(err, syscall.EPERM):
		return tool.Failure{Code: tool.NotPermitted, Text: fmt.Sprintf("this system lets not even root make network namespaces: %v", err)}
	}
	return err
}

// names is where ip keeps the names of namespaces.
const names = "/run/netns"

// hideNames covers the names of the namespaces of others, so that those that
// are made here vanish with this process.
func hideNames() error {
	if err := os.MkdirAll(names, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", names, "tmpfs", 0, "mode=755"); err != nil {
		return &os.PathError{Op: "mount", Path: names, Err: err}
	}
	return nil
}
