package lab

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/version"
)

// traced is the trace of a sweep or a worker, if there is one.
type traced struct {
	command *cobra.Command
	sinks   []event.Sink
	file    *os.File
	written *trace.File
}

// openTrace begins the trace of a tree in real time; without a path there is
// none.
func openTrace(c *cobra.Command, path, run string) (*traced, error) {
	t := &traced{command: c}
	if path == "" {
		return t, nil
	}
	var err error
	if t.file, err = outfile.Open(path, outfile.Trace); err != nil {
		return nil, err
	}
	t.written = trace.NewFile(t.file, trace.Header{
		Run: run, Build: version.Build(), Configuration: map[string]string{"command": c.Name()}, Clock: "real", StartedAt: time.Now(),
	})
	t.sinks = []event.Sink{t.written}
	return t, nil
}

func (t *traced) close() {
	if t.file == nil {
		return
	}
	if err := t.written.Close(); err != nil {
		fmt.Fprintf(t.command.ErrOrStderr(), "kouzui: warning: the supervision trace is incomplete: %s\n", exit.OneLine(err))
	}
	t.file.Close()
}
