package exit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"kouzui/actors/world"
	"kouzui/messages"
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
		{messages.ErrStalled, Timeout},
		{&world.AnnounceError{Err: syscall.ECONNREFUSED}, Network},
		{ErrInterrupted, Interrupted},
		{world.ErrFull, DiskFull},
		{&fs.PathError{Op: "write", Err: syscall.ENOSPC}, DiskFull},
		{world.ErrLocked, Locked},
		{world.ErrLinked, Foreign},
		{fs.ErrExist, Foreign},
		{&fs.PathError{Op: "open", Err: fs.ErrNotExist}, NotFound},
		{&fs.PathError{Op: "openat", Err: fs.ErrPermission}, Open},
		{&fs.PathError{Op: "mkdirat", Err: fs.ErrPermission}, Mkdir},
		{&fs.PathError{Op: "read", Err: syscall.EIO}, IO},
		{&net.DNSError{}, Resolve},
		{&metainfo.Error{Code: metainfo.NotBencode}, Bencode},
		{&metainfo.Error{}, BadTorrent},
		{Usagef("", "usage"), Usage},
		{With(Mismatch, messages.ErrStalled), Mismatch},
		{messages.ErrGivenUp, GivenUp},
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
