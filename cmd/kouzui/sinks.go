package main

import (
	"crypto/rand"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
)

// sinks take the supervision trace: the log always, a file if one is asked for.
type sinks struct {
	list    []event.Sink
	closers []io.Closer
}

func openSinks(c *cobra.Command, path string, out *output) (*sinks, error) {
	console := trace.NewConsole(out.log)
	s := &sinks{list: []event.Sink{console}, closers: []io.Closer{console}}
	if path == "" {
		return s, nil
	}
	var to io.Writer = out.stdout
	var file *os.File
	if path != "-" {
		f, err := os.Create(path)
		if err != nil {
			s.close(out)
			return nil, fail(exitCreate, err)
		}
		to, file = f, f
	}
	t := trace.NewFile(to, trace.Header{
		Run: rand.Text(), Build: actors.Version + revision(),
		Configuration: configuration(c), Clock: "real", StartedAt: time.Now(),
	})
	s.list = append(s.list, t)
	s.closers = append(s.closers, t)
	if file != nil {
		s.closers = append(s.closers, file)
	}
	return s, nil
}

// private are flags whose values may hold secrets: a trace only tells that they
// were set.
var private = []string{"tracker", "on-complete"}

// configuration is what the user has set, by flag.
func configuration(c *cobra.Command) map[string]string {
	set := map[string]string{"command": c.Name()}
	c.Flags().Visit(func(f *pflag.Flag) {
		set[f.Name] = f.Value.String()
		if slices.Contains(private, f.Name) {
			set[f.Name] = "set"
		}
	})
	return set
}

// close writes what is left. The tree must have been shut down, or be left to
// die with the process.
func (s *sinks) close(out *output) {
	for _, c := range s.closers {
		if err := c.Close(); err != nil && !brokenPipe(err) {
			out.warn("the supervision trace is not complete: " + err.Error())
		}
	}
}
