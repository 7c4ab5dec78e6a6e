package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Words is the text of err with the errors of the system in it put into words
// of a user: what was tried, on which path, and why that failed. All errors
// that are shown go through here.
func Words(err error) string {
	text := err.Error()
	for _, e := range raised(err) {
		text = strings.Replace(text, e.Error(), sentence(e), 1)
	}
	return text
}

// raised are the errors of the system in err.
func raised(err error) (list []error) {
	switch e := err.(type) {
	case nil:
		return nil
	case *fs.PathError, *os.LinkError, *net.OpError, syscall.Errno:
		return []error{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			list = append(list, raised(one)...)
		}
		return list
	}
	return raised(errors.Unwrap(err))
}

func sentence(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		return about(e.Path, e.Op, "", e.Err)
	case *os.LinkError:
		return about(e.Old, e.Op, " to "+e.New, e.Err)
	case syscall.Errno:
		if e != syscall.EIO { // of what is no disk, perhaps
			return why(e)
		}
	case *net.OpError:
		if e.Op == "listen" && e.Addr != nil {
			return listening(e)
		}
	}
	return err.Error()
}

// about says why an operation on a path failed.
func about(path, op, to string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(path, op) + " does not exist"
	case errors.Is(err, syscall.EISDIR):
		return path + " is a folder, and a file is needed"
	case errors.Is(err, syscall.ENOTDIR):
		return noFolder(path) + " is not a folder"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return path + ": the name is longer than the system takes"
	case errors.Is(err, syscall.ELOOP):
		return path + ": symbolic links lead round in a circle, or one stands where none is followed"
	}
	reason := why(err)
	switch first, _, _ := strings.Cut(reason, " "); first {
	case "is", "was": // errors of our own that tell what the path is
		return path + " " + reason
	case "not", "locked":
		return path + " is " + reason
	}
	return fmt.Sprintf("%s cannot be %s%s: %s", path, done(op), to, reason)
}

// missing is what does not exist: of a path at which something was to be made,
// the folder that is missing.
func missing(path, op string) string {
	if op != "create" && !strings.HasPrefix(op, "mkdir") {
		return path
	}
	for {
		folder := filepath.Dir(path)
		if _, err := os.Stat(folder); err == nil || folder == path {
			return path
		}
		path = folder
	}
}

// noFolder is the part of a path that is no folder and has to be one.
func noFolder(path string) string {
	for at := path; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && !info.IsDir() {
			return at
		}
		if at == filepath.Dir(at) {
			return filepath.Dir(path)
		}
	}
}

// why is the reason of the system in words, where those of the system are not.
func why(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "you have no permission"
	case errors.Is(err, fs.ErrExist):
		return "there is something already"
	case errors.Is(err, syscall.ENOSPC):
		return "the disk is full"
	case errors.Is(err, syscall.EROFS):
		return "the disk can only be read"
	case errors.Is(err, syscall.EIO):
		return "the disk fails"
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program uses that address and port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many files are open"
	}
	return err.Error()
}

// verbs say what was to be done by the operations of the system and of package
// world. Of names such as openat the beginning counts.
var verbs = []struct{ op, done string }{
	{"open", "opened"}, {"stat", "looked at"}, {"lstat", "looked at"}, {"fstat", "looked at"},
	{"readdirent", "listed"}, {"read folder", "listed"}, {"readlink", "followed"}, {"read", "read"}, {"pread", "read"},
	{"write", "written"}, {"pwrite", "written"}, {"mkdir", "made"}, {"create", "written"}, {"rename to", "the new name"},
	{"rename", "renamed"}, {"remove", "removed"}, {"unlink", "removed"}, {"symlink", "made a link"}, {"link", "made a link"},
	{"chmod", "made executable"}, {"fchmod", "made executable"}, {"extend", "made longer"}, {"truncate", "made longer"},
	{"sync", "saved"}, {"fsync", "saved"}, {"close", "saved"}, {"lock", "locked"}, {"free space", "asked for its free space"},
}

func done(op string) string {
	for _, v := range verbs {
		if strings.HasPrefix(op, v.op) {
			return v.done
		}
	}
	return "used (" + op + ")"
}

func listening(e *net.OpError) string {
	switch {
	case errors.Is(e, syscall.EADDRINUSE):
		return fmt.Sprintf("another program uses %s", e.Addr)
	case errors.Is(e, fs.ErrPermission):
		return fmt.Sprintf("you have no permission to listen at %s", e.Addr)
	case errors.Is(e, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("this machine does not have the address of %s", e.Addr)
	}
	return e.Error()
}
