//go:build unix

package outfile

import (
	"io/fs"
	"syscall"
)

// noFollow makes opening a symbolic link fail.
const noFollow = syscall.O_NOFOLLOW

// names is how many names the file has.
func names(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Nlink) }
