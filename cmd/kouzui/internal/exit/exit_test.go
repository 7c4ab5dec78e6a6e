package exit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"kouzui"
	"net"
	"strings"
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

// The hint of an error is shown whatever was said around the error.
func TestComplainFindsTheHint(t *testing.T) {
	var b bytes.Buffer
	Complain(&b, With(NotFound, fmt.Errorf("album: %w", Hint("Try this.", errors.New("missing")))))
	if got, want := b.String(), "kouzui: album: missing\nTry this.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSeveral(t *testing.T) {
	a, b := With(Foreign, errors.New("a")), With(IO, errors.New("b"))
	of := func(name string) error { return Of(name, ErrInterrupted) }
	many := []error{b}
	for _, text := range strings.Fields("c d e f g h") {
		many = append(many, errors.New(text))
	}
	for _, c := range []struct {
		failed []error
		of     int
		text   string
		code   int
	}{
		{nil, 3, "<nil>", OK},
		{[]error{a}, 1, "a", Foreign},
		{[]error{a}, 2, "1 of 2 torrents failed: a", Foreign},
		{[]error{b, a}, 9, "2 of 9 torrents failed: b; a", IO},
		{many, 9, "7 of 9 torrents failed: b; c; d; e; f; and 2 more", IO},
		{[]error{of("x")}, 9, "1 of 9 torrents failed: x: interrupted", Interrupted},
		{[]error{of("x"), of("y"), of("z")}, 9, "3 of 9 torrents failed: interrupted", Interrupted},
		{[]error{of("x"), a, of("y")}, 9, "3 of 9 torrents failed: 2 times: interrupted; a", Interrupted},
		{[]error{of("x"), Of("y", a)}, 9, "2 of 9 torrents failed: x: interrupted; y: a", Interrupted},
	} {
		err := Several(c.failed, c.of, "torrents failed")
		if got := fmt.Sprint(err); got != c.text || Code(err) != c.code {
			t.Errorf("%v: %q with %d, want %q with %d", c.failed, got, Code(err), c.text, c.code)
		}
	}
}

func TestUnwritten(t *testing.T) {
	full := Unwritten(&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC})
	if Code(full) != DiskFull || Code(Unwritten(syscall.EIO)) != IO {
		t.Errorf("the codes are %d and %d", Code(full), Code(Unwritten(syscall.EIO)))
	}
}
