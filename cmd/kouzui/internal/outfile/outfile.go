// Package outfile writes the files that a user names for results, logs and
// traces. None of them is written through a symbolic link, behind which may be
// a file of somebody else, nor changed where it has a second name, nor written
// over a file of another [Kind]. The folders on the way may be links, as for
// all programs.
package outfile

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kouzui/cmd/kouzui/internal/exit"
)

// TempPrefix begins the names of files that are not complete.
const TempPrefix = ".kouzui-temp-"

// File is a file that gets its name when it is complete. It takes the place of
// a link, too, not of what the link leads to.
type File struct {
	path string
	file *os.File
	temp bool // the file has a name of its own until it is complete
}

// Check says early what Create would refuse about the path.
func Check(path string, replace bool) error {
	if device(path) {
		return nil
	}
	info, err := os.Lstat(path)
	if err == nil && info.IsDir() {
		return exit.Errorf(exit.Foreign, "%s is a folder, and the path of a file is needed", path)
	}
	if err == nil && !replace {
		return exit.Hint("--force replaces it.", exit.Errorf(exit.Foreign, "%s exists already", path))
	}
	return nil // of other errors, Create tells more
}

// Create begins a file. A device or a pipe is written to, and not replaced; a
// file is replaced only if replace says so.
func Create(path string, replace bool) (*File, error) {
	if err := Check(path, replace); err != nil {
		return nil, err
	}
	if device(path) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		return &File{path: path, file: f}, failed(exit.Create, err)
	}
	temp := filepath.Join(filepath.Dir(path), TempPrefix+rand.Text()[:12])
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less the umask
	if err != nil {
		return nil, failed(exit.Create, &fs.PathError{Op: "create", Path: path, Err: cause(err)})
	}
	return &File{path: path, file: f, temp: true}, nil
}

// failed is err with an exit code: that of a full disk, if the disk is full, or
// else code.
func failed(code int, err error) error {
	if exit.Code(err) == exit.DiskFull {
		return err
	}
	return exit.With(code, err)
}

// cause is err without the name of the temporary file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Replace begins a file that takes the place of an older one of its kind.
func Replace(path string, kind Kind) (*File, error) {
	if err := kind.check(path); err != nil {
		return nil, err
	}
	return Create(path, true)
}

// Try says early what Replace would refuse.
func Try(path string, kind Kind) error {
	f, err := Replace(path, kind)
	if err == nil {
		f.Discard()
	}
	return err
}

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	if err != nil {
		err = failed(exit.IO, &fs.PathError{Op: "write", Path: f.path, Err: cause(err)})
	}
	return n, err
}

// Commit gives the file its name.
func (f *File) Commit() error {
	if err := f.file.Close(); err != nil {
		return failed(exit.IO, &fs.PathError{Op: "write", Path: f.path, Err: cause(err)})
	}
	if !f.temp {
		return nil
	}
	var link *os.LinkError
	if err := os.Rename(f.file.Name(), f.path); errors.As(err, &link) {
		return failed(exit.Create, &fs.PathError{Op: "create", Path: f.path, Err: link.Err})
	}
	f.temp = false
	return nil
}

// Discard removes a file that was not completed.
func (f *File) Discard() {
	f.file.Close()
	if f.temp {
		os.Remove(f.file.Name())
	}
}

// Open opens a file that is read while it grows: a log, or a trace. Only its
// owner may read a new one. A log goes on where an older run ended.
func Open(path string, kind Kind) (*os.File, error) {
	more := kind.grows
	flag := os.O_RDWR | os.O_CREATE // what is there is looked at
	if more {
		flag |= os.O_APPEND
	}
	device := device(path)
	if device {
		flag = flag&^os.O_RDWR | os.O_WRONLY
	} else {
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, exit.Hint("Remove the link, or give the path of the file itself.",
				exit.Errorf(exit.Foreign, "%s is a symbolic link, and nothing is written through a link", path))
		}
		flag |= noFollow
	}
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, failed(exit.Create, &fs.PathError{Op: "create", Path: path, Err: cause(err)})
	}
	if device {
		return f, nil
	}
	info, err := f.Stat()
	switch {
	case err == nil && names(info) > 1:
		err = exit.Hint("Remove one of the names, or give another path.",
			exit.Errorf(exit.Foreign, "%s is a hard link, and writing would change the file under its other name too", path))
	case err == nil:
		if err = kind.match(path, f); err == nil && !more {
			err = exit.With(exit.IO, f.Truncate(0))
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// device says whether path is not that of a file: a device, a pipe, or a name
// that the system has for what is open already, such as /dev/stderr.
func device(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return false
	}
	folder := filepath.Dir(path)
	return !info.Mode().IsRegular() || folder == "/dev" || folder == "/dev/fd" || strings.HasPrefix(folder, "/proc/")
}
