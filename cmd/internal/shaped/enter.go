//go:build linux

package shaped

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of a program that has a network of its own,
// to the name that the kernel gives that network.
const inside = "KOUZUI_SHAPED"

// Enter gives this program a network and mounts of its own, in which it may
// call New: the program begins anew in the same process, with the same
// arguments, and this time Enter returns nil. An error is one line. The kernel
// removes network and mounts with the last process there, whatever ends it.
func Enter() error {
	if here, err := os.Readlink("/proc/self/ns/net"); err == nil && os.Getenv(inside) == here {
		return nil
	}
	if err := EnterThread(); err != nil { // it will run the program
		return err
	}
	here, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, inside+"=") {
			env = append(env, v)
		}
	}
	err = syscall.Exec("/proc/self/exe", os.Args, append(env, inside+"="+here))
	return fmt.Errorf("the program cannot begin anew: %w", err)
}

// EnterThread does for a thread what Enter does for a program. The thread is
// that of the calling goroutine, alone and until it ends.
func EnterThread() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can make network namespaces and shape their links")
	}
	for _, program := range []string{"ip", "tc", "sysctl"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed: on Debian, iproute2 has ip and tc, and procps has sysctl", program)
		}
	}
	runtime.LockOSThread() // for ever
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("this system lets not even root make network namespaces: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return &os.PathError{Op: "mount", Path: "/", Err: err}
	}
	return hideNames()
}

// names is where ip keeps the names of namespaces.
const names = "/run/netns"

// hideNames covers the names of the namespaces of others, so that those that
// are made here vanish with what has entered.
func hideNames() error {
	if err := os.MkdirAll(names, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", names, "tmpfs", 0, "mode=755"); err != nil {
		return &os.PathError{Op: "mount", Path: names, Err: err}
	}
	return nil
}
