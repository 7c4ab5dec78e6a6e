package world

import (
	"errors"
	"io/fs"
	"strings"

	"kouzui/messages"
)

type nameUsed struct{}

func (nameUsed) Error() string        { return "another torrent of this name is in the same folder" }
func (nameUsed) Is(target error) bool { return target == ErrLocked }

// Errors of a Disk that callers handle in a way of their own. They are wrapped:
// compare with errors.Is. fs.ErrNotExist, fs.ErrExist and fs.ErrPermission keep
// their standard meaning.
var (
	// ErrFull: no room, or over quota (ENOSPC, EDQUOT, EFBIG).
	ErrFull = errors.New("no space left")
	// ErrLocked: another process holds the lock.
	ErrLocked = errors.New("locked by another kouzui")
	// ErrNameUsed: this process holds the lock, for another torrent. It is an
	// ErrLocked.
	ErrNameUsed error = nameUsed{}
	// ErrTooManyFiles: the process, or the system, has no room for another open
	// file.
	ErrTooManyFiles = errors.New("too many open files")
	// ErrNotRegular: the name belongs to a folder, a link, a pipe or a device.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNotFolder: a part of the name that should be a folder is something else,
	// or a link that leads out of the folder or nowhere.
	ErrNotFolder = errors.New("not a folder")
	// ErrLinked: the file has a second name (a hard link), perhaps outside the
	// folder, and so must not be written to.
	ErrLinked = errors.New("is a hard link, and writing would change the file under its other name too")
)

// Disk opens the folders of torrents. Its calls may block: only actors on a
// blocking dispatcher use it.
type Disk interface {
	// OpenFolder opens dir, and creates it if it is missing. Nothing that is done
	// through the Folder can reach outside of dir, whatever links there are in it.
	OpenFolder(dir string) (Folder, error)
}

// Folder is one open folder. Names are relative, with '/' between parts.
type Folder interface {
	// Stat does not follow a symbolic link in the last part.
	Stat(name string) (Info, error)
	// ReadDir lists the names in a folder, unsorted.
	ReadDir(name string) ([]string, error)
	// MkdirAll creates name and the folders above it.
	MkdirAll(name string) error
	// Open opens an existing regular file: for reading, or for both; for both only
	// one that has no other name (ErrLinked).
	Open(name string, write bool) (File, error)
	// Create opens a regular file for reading and writing, and makes it if it is
	// missing; what it contains stays.
	Create(name string) (File, error)
	// Rename never replaces an existing file: it fails with fs.ErrExist.
	Rename(from, to string) error
	// Symlink makes a symbolic link called name, unless the name is taken
	// (fs.ErrExist). target is relative to the folder of the link.
	Symlink(target, name string) error
	// SetExecutable lets those run a file who may read it. Where modes mean
	// nothing, that does nothing.
	SetExecutable(name string) error
	Remove(name string) error
	RemoveAll(name string) error
	// ReadFile reads a small file whole; one over limit bytes is an error.
	ReadFile(name string, limit int64) ([]byte, error)
	// WriteFile replaces a small file at once: after a crash there is either the
	// old file or the new one, whole.
	WriteFile(name string, data []byte) error
	// Sync makes sure that names which were created, renamed or removed in dir
	// survive a power failure.
	Sync(dir string) error
	// Lock takes an exclusive lock for this process, without waiting. The lock
	// ends with the process.
	Lock(name string) (unlock func(), err error)
	// Free is how many bytes may still be written.
	Free() (int64, error)
	Close() error
}

// Info is what Stat tells of a name.
type Info struct {
	messages.Stamp
	Mode fs.FileMode
	// Allocated is how many bytes the file takes on disk, -1 when unknown.
	Allocated int64
}

// File is an open regular file, safe for concurrent use. Transfers call done
// exactly once; in the real world they block, and call done before they return.
type File interface {
	// ReadBlocks fills bufs, one after the other, from off on. A file that ends
	// before is an error (io.ErrUnexpectedEOF).
	ReadBlocks(bufs [][]byte, off int64, done func(error))
	// WriteBlocks writes bufs, one after the other, from off on.
	WriteBlocks(bufs [][]byte, off int64, done func(error))
	// Sync makes sure that what was written survives a power failure. Several
	// files may be synced at once.
	Sync(done func(error))
	// Extend makes a shorter file longer, sparse where the file system can. It
	// never makes a file shorter.
	Extend(size int64) error
	Stat() (Info, error)
	// Stamp is the same as in Stat, without opening the file again.
	Stamp() (messages.Stamp, error)
	Close() error
}

// SocketFile is a File whose content the system can move into a socket; see
// messages.SocketSource.
type SocketFile interface {
	File
	SendTo(socket uintptr, off int64, n int) (int, error)
	Map(off int64, n int) ([]byte, error)
}

// Folds tells whether a folder takes names that differ in case only for the
// same, as some file systems do. It tries the first of names that exists and
// has letters.
func Folds(folder Folder, names ...string) bool {
	for _, name := range names {
		info, err := folder.Stat(name)
		other := strings.ToUpper(name)
		if err != nil || other == name {
			continue
		}
		same, err := folder.Stat(other)
		return err == nil && same.Stamp == info.Stamp
	}
	return false
}
