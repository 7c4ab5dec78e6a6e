package real

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// bindToDevice keeps a socket from using any other interface, where the system
// permits that. Elsewhere the source address alone is bound.
func bindToDevice(c syscall.RawConn, device string) error {
	var err error
	if failed := c.Control(func(fd uintptr) {
		err = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, device)
	}); failed != nil {
		return failed
	}
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}
