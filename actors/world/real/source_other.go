//go:build !linux

package real

import "syscall"

// bindToDevice does nothing: the source address alone is bound.
func bindToDevice(syscall.RawConn, string) error { return nil }
