//go:build unix

package real

import (
	"errors"
	"io/fs"
	"math/bits"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"

	"kouzui/messages"
)

const (
	openNonblock  = unix.O_NONBLOCK // opening a pipe must not wait for its other end
	openDirectory = unix.O_DIRECTORY
)

func isFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}

func isNotFolder(err error) bool { return errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) }

func allocated(i fs.FileInfo) int64 {
	if s, ok := i.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512 // Blocks counts units of 512 bytes on every system
	}
	return -1
}

func isTooMany(err error) bool { return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) }

// links is how many names a file has.
func links(i fs.FileInfo) int {
	if s, ok := i.Sys().(*syscall.Stat_t); ok {
		return int(s.Nlink)
	}
	return 1
}

func stampOf(i fs.FileInfo) messages.Stamp {
	s := messages.Stamp{Size: i.Size(), Modified: i.ModTime().UnixNano()}
	if t, ok := i.Sys().(*syscall.Stat_t); ok {
		s.ID, s.Changed = identity(uint64(t.Dev), t.Ino), changed(t)
	}
	return s
}

// stamp is stampOf for the open file, without an allocation.
func (f *file) stamp() (messages.Stamp, error) {
	var t unix.Stat_t
	err := unix.Fstat(int(f.fd), &t)
	for err == unix.EINTR {
		err = unix.Fstat(int(f.fd), &t)
	}
	if err != nil {
		return messages.Stamp{}, err
	}
	return messages.Stamp{
		ID: identity(uint64(t.Dev), t.Ino), Size: t.Size, Modified: t.Mtim.Nano(), Changed: t.Ctim.Nano(),
	}, nil
}

// identity is a number for a file that differs between all files of all
// devices.
func identity(device, inode uint64) uint64 { return inode ^ bits.RotateLeft64(device, 40) }

func (f *folder) free() (int64, error) {
	d, err := f.openDir(".")
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var s unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(int(d.Fd()), &s) }); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// renameNew renames a file unless the new name exists. It fails with
// errors.ErrUnsupported where the file system cannot do that.
func (f *folder) renameNew(from, to string) error {
	source, err := f.openDir(path.Dir(from))
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := f.openDir(path.Dir(to))
	if err != nil {
		return err
	}
	defer target.Close()
	err = retry(func() error {
		return renameExclusive(int(source.Fd()), path.Base(from), int(target.Fd()), path.Base(to))
	})
	if errors.Is(err, unix.EINVAL) {
		return errors.ErrUnsupported // Linux says EINVAL for a flag that the file system does not know
	}
	return err
}

// syncFolder syncs a folder, and ignores the error of file systems that cannot
// do that.
func syncFolder(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

func lockFile(f *os.File) error {
	err := retry(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	return lockError(err, unix.EWOULDBLOCK)
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
