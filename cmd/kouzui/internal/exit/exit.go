// Package exit decides with which code the program ends for which error, and
// how the error is told to the user.
package exit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"kouzui"
	"net"
	"strings"
	"syscall"

	"kouzui/wire/metainfo"
)

// Exit codes. Where aria2 has the same case, its number is used.
const (
	OK          = 0
	Other       = 1
	Timeout     = 2 // the time is up, or the download has stalled
	NotFound    = 3
	Network     = 6 // a network error, or all trackers failed
	Interrupted = 7 // the same command resumes the download
	DiskFull    = 9
	Locked      = 11 // another kouzui uses the data
	Foreign     = 13 // a file that is not Kouzui's would be overwritten
	Open        = 15
	Create      = 16
	IO          = 17
	Mkdir       = 18
	Resolve     = 19
	Bencode     = 25
	BadTorrent  = 26
	BadMagnet   = 27 // a magnet link that cannot be read
	Usage       = 28
	Mismatch    = 32 // data does not match the torrent, or traces differ
	GivenUp     = 40 // a supervisor gave up
)

// failure is an error whose exit code is known where the error arises.
type failure struct {
	code int
	err  error
	of   string // the name of the one of several things that failed, or ""
	hint string // what the user may try instead
}

func (f *failure) Error() string {
	if f.of == "" {
		return f.err.Error()
	}
	return f.of + ": " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// With gives err an exit code. A nil error stays nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return &failure{code: code, err: err}
}

// Of is err of one of several things, which has a name.
func Of(name string, err error) error {
	return &failure{code: Code(err), err: err, of: name}
}

// Errorf makes an error with an exit code.
func Errorf(code int, format string, args ...any) error {
	return &failure{code: code, err: fmt.Errorf(format, args...)}
}

// Usagef makes a usage error. The hint is a line of its own below the error, or
// "".
func Usagef(hint, format string, args ...any) error {
	return Hint(hint, Errorf(Usage, format, args...))
}

// shownErrors is how many causes the text of Several tells.
const shownErrors = 5

// Several is one error for those of some of many things, with the code of the
// first: the first itself if there was one thing only, nil if none failed. What
// happened to many of them, such as an interrupt, is told once.
func Several(failed []error, of int, what string) error {
	switch {
	case len(failed) == 0:
		return nil
	case of == 1:
		return failed[0]
	}
	var texts, causes []string
	times := map[string]int{}
	for _, err := range failed {
		cause := err
		if f, ok := err.(*failure); ok && f.of != "" {
			cause = f.err
		}
		text := OneLine(cause)
		if times[text]++; times[text] == 1 {
			texts, causes = append(texts, OneLine(err)), append(causes, text)
		}
	}
	for i, cause := range causes {
		switch n := times[cause]; {
		case n == 1:
		case n == len(failed):
			texts[i] = cause
		default:
			texts[i] = fmt.Sprintf("%d times: %s", n, cause)
		}
	}
	if more := len(texts) - shownErrors; more > 0 {
		texts = append(texts[:shownErrors], fmt.Sprintf("and %d more", more))
	}
	return Errorf(Code(failed[0]), "%d of %d %s: %s", len(failed), of, what, strings.Join(texts, "; "))
}

// Hint adds to err a line that says what the user may try instead.
func Hint(hint string, err error) error {
	return &failure{code: Code(err), err: err, hint: hint}
}

// Errors that commands end with.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrTimeout     = errors.New("the time set by --timeout is up")
)

var errUnwritten = errors.New("the results cannot be written to stdout")

// OfStdout tells whether err is only that a write to stdout has failed, as lost
// is.
func OfStdout(err, lost error) bool {
	var a, b *fs.PathError
	return errors.Is(err, errUnwritten) || errors.Is(err, lost) ||
		errors.As(err, &a) && errors.As(lost, &b) && a.Path == b.Path && a.Op == b.Op
}

// Unwritten is that results could not be written to stdout.
func Unwritten(err error) error {
	code := IO
	if Code(err) == DiskFull {
		code = DiskFull
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return Errorf(code, "%w: %w", errUnwritten, err)
}

// Code is the exit code of the process for err.
func Code(err error) int {
	var (
		known   *failure
		torrent *kouzui.MetainfoError
		link    *kouzui.MagnetError
		files   *kouzui.ChoiceError
		dns     *net.DNSError
		tracker *kouzui.TrackerError
	)
	switch {
	case err == nil:
		return OK
	case errors.As(err, &known):
		return known.code
	case errors.Is(err, ErrInterrupted):
		return Interrupted
	case errors.Is(err, ErrTimeout), errors.Is(err, kouzui.ErrStalled):
		return Timeout
	case errors.Is(err, kouzui.ErrGivenUp):
		return GivenUp
	case errors.As(err, &torrent) && torrent.Code == metainfo.NotBencode:
		return Bencode
	case errors.As(err, &torrent):
		return BadTorrent
	case errors.As(err, &link):
		return BadMagnet
	case errors.As(err, &files):
		return Usage
	case errors.As(err, &dns):
		return Resolve
	case errors.Is(err, fs.ErrNotExist):
		return NotFound
	case errors.As(err, &tracker):
		return Network
	}
	return diskCode(err)
}

func diskCode(err error) int {
	var path *fs.PathError
	switch {
	case errors.Is(err, kouzui.ErrFull), errors.Is(err, syscall.ENOSPC):
		return DiskFull
	case errors.Is(err, kouzui.ErrLocked):
		return Locked
	case errors.Is(err, kouzui.ErrLinked), errors.Is(err, fs.ErrExist):
		return Foreign
	case errors.As(err, &path):
		switch {
		case strings.HasPrefix(path.Op, "mkdir"):
			return Mkdir
		case strings.HasPrefix(path.Op, "open"):
			return Open
		}
		return IO
	}
	return Other
}

// Complain writes err on one line, and its hint on the next if there is one.
func Complain(w io.Writer, err error) {
	fmt.Fprintf(w, "kouzui: %s\n", OneLine(err))
	for ; err != nil; err = errors.Unwrap(err) {
		if f, ok := err.(*failure); ok && f.hint != "" {
			fmt.Fprintf(w, "%s\n", f.hint)
			return
		}
	}
}

// OneLine is the text of err, see Words, without control characters: parts of
// the text may come from the network.
func OneLine(err error) string {
	const longest = 1000 // bytes
	return metainfo.Clean(strings.TrimSpace(Words(err)), longest)
}

// BrokenPipe says whether err is only that the reader of our output has gone.
func BrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
