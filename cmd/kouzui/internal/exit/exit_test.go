package exit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"kouzui"
	"net"
	"syscall"
	"testing"

	"kouzui/wire/metainfo"
)

func TestCode(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, OK},
		{errors.New("anything"), Other},
		{ErrTimeout, Timeout},
		{kouzui.ErrStalled, Timeout},
		{&kouzui.TrackerError{Err: syscall.ECONNREFUSED}, Network},
		{ErrInterrupted, Interrupted},
		{kouzui.ErrFull, DiskFull},
		{&fs.PathError{Op: "write", Err: syscall.ENOSPC}, DiskFull},
		{kouzui.ErrLocked, Locked},
		{kouzui.ErrLinked, Foreign},
		{fs.ErrExist, Foreign},
		{&fs.PathError{Op: "open", Err: fs.ErrNotExist}, NotFound},
		{&fs.PathError{Op: "openat", Err: fs.ErrPermission}, Open},
		{&fs.PathError{Op: "mkdirat", Err: fs.ErrPermission}, Mkdir},
		{&fs.PathError{Op: "read", Err: syscall.EIO}, IO},
		{&net.DNSError{}, Resolve},
		{&kouzui.MetainfoError{Code: metainfo.NotBencode}, Bencode},
		{&kouzui.MetainfoError{}, BadTorrent},
		{Usagef("", "usage"), Usage},
		{With(Mismatch, kouzui.ErrStalled), Mismatch},
		{kouzui.ErrGivenUp, GivenUp},
	} {
		for _, err := range []error{c.err, fmt.Errorf("album: %w", c.err)} {
			if c.err == nil {
				err = nil
			}
			if got := Code(err); got != c.want {
				t.Errorf("%v: exit code %d, want %d", err, got, c.want)
			}
		}
	}
}

func TestComplain(t *testing.T) {
	var b bytes.Buffer
	Complain(&b, Hint("Try this.", errors.New("two\nlines\x1b[31m")))
	if got, want := b.String(), "kouzui: two lines\ufffd[31m\nTry this.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
