package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"kouzui"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestWords(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	missing := &fs.PathError{Op: "stat", Path: "/x", Err: syscall.ENOENT}
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("as it is"), "as it is"},
		{missing, "/x does not exist"},
		{fmt.Errorf("album: %w", With(Open, missing)), "album: /x does not exist"},
		{fmt.Errorf("%w; %w", missing, &fs.PathError{Op: "openat", Path: "y", Err: syscall.EACCES}), "/x does not exist; y cannot be opened: you have no permission"},
		{errors.Join(missing, missing), "/x does not exist\n/x does not exist"},
		{&fs.PathError{Op: "read", Path: "album", Err: syscall.EISDIR}, "album is a folder, and a file is needed"},
		{&fs.PathError{Op: "open", Path: "words.go/b/c", Err: syscall.ENOTDIR}, "words.go is not a folder"},
		{&fs.PathError{Op: "create", Path: "no/such/file", Err: syscall.ENOENT}, "no does not exist"},
		{fmt.Errorf("cannot serve: %w", syscall.EADDRNOTAVAIL), "cannot serve: this machine does not have that address"},
		{&fs.PathError{Op: "mkdirat", Path: "d", Err: syscall.EROFS}, "d cannot be made: the disk can only be read"},
		{&fs.PathError{Op: "pwritev", Path: "d", Err: syscall.ENOSPC}, "d cannot be written: the disk is full"},
		{&fs.PathError{Op: "ioctl", Path: "d", Err: errors.New("odd")}, "d cannot be used (ioctl): odd"},
		{&fs.PathError{Op: "open", Path: "d", Err: kouzui.ErrLinked}, "d is a hard link, and writing would change the file under its other name too"},
		{&fs.PathError{Op: "lock", Path: "d", Err: kouzui.ErrLocked}, "d is locked by another kouzui"},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EXDEV}, "a cannot be renamed to b: invalid cross-device link"},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}, "another program uses 127.0.0.1:80"},
		{&net.OpError{Op: "listen", Net: "tcp", Addr: at, Err: os.NewSyscallError("bind", syscall.EACCES)}, "you have no permission to listen at 127.0.0.1:80"},
		{&net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: syscall.ECONNREFUSED}, "dial tcp 127.0.0.1:80: connection refused"},
	} {
		if got := Words(c.err); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
