package real

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func changed(s *syscall.Stat_t) int64 { return s.Ctim.Nano() }

func renameExclusive(fromDir int, from string, toDir int, to string) error {
	return unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
}
