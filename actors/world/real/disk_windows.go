package real

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"

	"kouzui/messages"
)

const (
	openNonblock  = 0 // names in a folder are no pipes here
	openDirectory = 0
)

func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) ||
		errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED) || errors.Is(err, windows.ERROR_FILE_TOO_LARGE)
}

func isTooMany(err error) bool { return errors.Is(err, windows.ERROR_TOO_MANY_OPEN_FILES) }

// isNotFolder is never true: a name below a file is one that does not exist.
func isNotFolder(error) bool { return false }

func allocated(fs.FileInfo) int64 { return -1 }

// links is always 1: counting the names of a file takes one more call, and hard
// links are rare here.
func links(fs.FileInfo) int { return 1 }

func stampOf(i fs.FileInfo) messages.Stamp {
	return messages.Stamp{Size: i.Size(), Modified: i.ModTime().UnixNano()}
}

func (f *file) stamp() (messages.Stamp, error) {
	info, err := f.os.Stat()
	if err != nil {
		return messages.Stamp{}, err
	}
	return stampOf(info), nil
}

func (f *folder) free() (int64, error) {
	name, err := windows.UTF16PtrFromString(f.root.Name())
	if err != nil {
		return 0, err
	}
	var mine uint64
	err = windows.GetDiskFreeSpaceEx(name, &mine, nil, nil)
	return int64(mine), err
}

func (f *folder) renameNew(string, string) error { return errors.ErrUnsupported }

// syncFolder does nothing: names are journalled, and a folder that is open for
// reading cannot be flushed.
func syncFolder(*os.File) error { return nil }

func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
	return lockError(err, windows.ERROR_LOCK_VIOLATION)
}
