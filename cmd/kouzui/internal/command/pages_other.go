//go:build !linux

package command

// ReleaseStartPages does nothing on this system.
func ReleaseStartPages() {}
