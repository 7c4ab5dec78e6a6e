package trace

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
)

// traceFile is a trace that a command reads.
type traceFile struct {
	*trace.Reader
	name string
	warn io.Writer
	file io.Closer
}

// openTrace opens a path, or stdin for "-".
func openTrace(c *cobra.Command, name string) (*traceFile, error) { return openTraceAs(c, name, name) }

// openTraceAs opens a path. Errors call the trace by name, which differs from
// path for a copy of stdin.
func openTraceAs(c *cobra.Command, name, path string) (*traceFile, error) {
	f := &traceFile{name: name, warn: c.ErrOrStderr(), file: io.NopCloser(nil)}
	in := c.InOrStdin()
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, f.file = file, file
	}
	r, err := trace.Read(in)
	if err != nil {
		f.close()
		return nil, badTrace(name, err)
	}
	f.Reader = r
	return f, nil
}

func badTrace(name string, err error) error {
	if err == io.ErrUnexpectedEOF {
		return exit.Errorf(exit.Other, "%s: the file ends within its header", name)
	}
	var path *os.PathError
	if errors.As(err, &path) {
		return err
	}
	return exit.Errorf(exit.Other, "%s: %w", name, err)
}

// end reports why reading stopped early, if it did.
func (f *traceFile) end() error {
	if err := f.Err(); err != nil {
		return badTrace(f.name, err)
	}
	if f.Torn() {
		fmt.Fprintf(f.warn, "kouzui: warning: %s: the last line is cut short\n", f.name)
	}
	return nil
}

func (f *traceFile) close() { f.file.Close() }

// spooled returns a path at which the trace can be read more than once: stdin
// is copied to a file, which remove deletes.
func spooled(c *cobra.Command, name string) (path string, remove func(), err error) {
	if name != "-" {
		return name, func() {}, nil
	}
	file, err := os.CreateTemp("", "kouzui-trace-*")
	if err != nil {
		return "", nil, exit.With(exit.Create, err)
	}
	remove = func() { os.Remove(file.Name()) }
	_, err = io.Copy(file, c.InOrStdin())
	if err = errors.Join(err, file.Close()); err != nil {
		remove()
		return "", nil, exit.With(exit.IO, err)
	}
	return file.Name(), remove, nil
}
