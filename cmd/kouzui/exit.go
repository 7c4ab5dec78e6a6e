package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Exit codes; where aria2 has the same case, its number.
const (
	exitOK          = 0
	exitOther       = 1
	exitTimeout     = 2 // too late, or stalled
	exitNotFound    = 3
	exitNetwork     = 6 // or all trackers failed
	exitInterrupted = 7 // and can be resumed
	exitDiskFull    = 9
	exitLocked      = 11 // by another kouzui
	exitForeign     = 13 // would overwrite somebody else's data
	exitOpen        = 15
	exitCreate      = 16
	exitIO          = 17
	exitMkdir       = 18
	exitResolve     = 19
	exitBencode     = 25
	exitBadTorrent  = 26
	exitUsage       = 28
	exitMismatch    = 32 // verify found something else
	exitGivenUp     = 40 // supervision did
)

// failure is an error whose exit code is known where it arises.
type failure struct {
	code int
	err  error
	hint string // what to try instead, for usage errors
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// fail gives err an exit code; nil stays nil.
func fail(code int, err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: code, err: err}
}

func failf(code int, format string, args ...any) error {
	return &failure{code: code, err: fmt.Errorf(format, args...)}
}

func usagef(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

var (
	errInterrupted = errors.New("interrupted; the same command goes on from here")
	errTimeout     = errors.New("not complete within the time allowed")
)

// exitCode is what the process ends with for err.
func exitCode(err error) int {
	var (
		known   *failure
		torrent *metainfo.Error
		dns     *net.DNSError
		tracker *world.AnnounceError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &known):
		return known.code
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.Is(err, errTimeout), errors.Is(err, messages.ErrStalled):
		return exitTimeout
	case errors.Is(err, messages.ErrGivenUp):
		return exitGivenUp
	case errors.As(err, &torrent) && torrent.Code == metainfo.NotBencode:
		return exitBencode
	case errors.As(err, &torrent):
		return exitBadTorrent
	case errors.As(err, &dns):
		return exitResolve
	case errors.Is(err, fs.ErrNotExist):
		return exitNotFound
	case errors.As(err, &tracker):
		return exitNetwork
	}
	return diskCode(err)
}

func diskCode(err error) int {
	var path *fs.PathError
	switch {
	case errors.Is(err, world.ErrFull), errors.Is(err, syscall.ENOSPC):
		return exitDiskFull
	case errors.Is(err, world.ErrLocked):
		return exitLocked
	case errors.Is(err, world.ErrLinked), errors.Is(err, fs.ErrExist):
		return exitForeign
	case errors.As(err, &path):
		switch {
		case strings.HasPrefix(path.Op, "mkdir"):
			return exitMkdir
		case strings.HasPrefix(path.Op, "open"):
			return exitOpen
		}
		return exitIO
	}
	return exitOther
}

// complain writes an error on one line, followed by a hint if there is one.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "kouzui: %s\n", oneLine(err))
	var f *failure
	if errors.As(err, &f) && f.hint != "" {
		fmt.Fprintf(w, "%s\n", f.hint)
	}
}

// oneLine is an error fit for a terminal: parts of it may come from the network.
func oneLine(err error) string {
	const longest = 1000 // bytes
	return metainfo.Clean(strings.TrimSpace(err.Error()), longest)
}
