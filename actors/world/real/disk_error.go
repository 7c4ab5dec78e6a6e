package real

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kouzui/actors/world"
)

// escapes is the text of package os for a link that leads out of the folder.
// The error has no name there.
const escapes = "path escapes from parent"

// fault is an error in one line that gives the name as the user wrote it.
func (f *folder) fault(op, name string, err error) error {
	if err == nil {
		return nil
	}
	var (
		p *fs.PathError
		l *os.LinkError
		s *os.SyscallError
	)
	for {
		switch {
		case errors.As(err, &p):
			err = p.Err
		case errors.As(err, &l):
			err = l.Err
		case errors.As(err, &s):
			err = s.Err
		default:
			switch {
			case isFull(err):
				err = meaning{err, world.ErrFull}
			case isTooMany(err):
				err = meaning{err, world.ErrTooManyFiles}
			case isNotFolder(err), strings.HasSuffix(err.Error(), escapes):
				err = meaning{err, world.ErrNotFolder}
			}
			return &fs.PathError{Op: op, Path: filepath.Join(f.dir, filepath.FromSlash(name)), Err: err}
		}
	}
}

// meaning is an error of the system that also is (errors.Is) one of package
// world.
type meaning struct {
	error
	is error
}

func (e meaning) Is(target error) bool { return target == e.is }
func (e meaning) Unwrap() error        { return e.error }
