package sweepd

import "syscall"

// ownGroup keeps the interrupts of a terminal from the worker: the sweep ends
// it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
