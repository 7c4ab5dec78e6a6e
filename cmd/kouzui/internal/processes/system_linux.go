package processes

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Supported is nil where swarms of processes can be played.
func Supported() error { return nil }

// attributes are those of a process that ends with this one.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// apart keeps the interrupts of a terminal from a process.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// room is how many bytes can be written below a folder.
func room(folder string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * s.Bsize, nil
}
