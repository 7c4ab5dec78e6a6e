// Package journal is the actor that keeps what has come out of a sweep: a line
// a record, in a file that is only appended to. What stands in the file is the
// truth; the sweep believes an outcome when it is told that the outcome is
// written. A process that is killed loses no written line. A machine that loses
// its power may lose the last ones, whose jobs are then played again.
package journal

import (
	"bytes"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/sweep/job"
)

// File is where a journal stands, as lines. It is called by one goroutine at a
// time.
type File interface {
	// Load returns all that is in the file.
	Load() ([]byte, error)
	// Cut shortens the file: what comes after the first so many bytes is no line.
	Cut(length int64) error
	// Append writes at the end.
	Append(lines []byte) error
}

// Config is what a journal is built from.
type Config struct {
	File   File
	Header Header
}

// Write: sweep to its journal. The journal answers with Written or Failed.
type Write struct{ Record job.Record }

// Written: journal to the sweep.
type Written struct{ Record job.Record }

// Loaded: journal to the sweep, when it has started: all that was written.
type Loaded struct{ Records []job.Record }

// Failed: journal to the sweep: the file cannot be read or written, or is that
// of another sweep.
type Failed struct{ Err error }

// New returns a journal.
func New(c Config) actor.Actor { return &journal{Config: c} }

type journal struct {
	Config
	failed bool
}

func (j *journal) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		records, err := j.load()
		if err != nil {
			j.fail(c, err)
			return
		}
		c.Send(c.Parent(), &Loaded{records})
	case *Write:
		if j.failed {
			return
		}
		line, err := Line(m.Record)
		if err == nil {
			err = j.File.Append(line)
		}
		if err != nil {
			j.fail(c, err)
			return
		}
		c.Send(c.Parent(), &Written{m.Record})
	}
}

func (j *journal) fail(c actor.Context, err error) {
	j.failed = true
	c.Send(c.Parent(), &Failed{err})
}

// load reads the file, and begins it if it is empty.
func (j *journal) load() ([]job.Record, error) {
	text, err := j.File.Load()
	if err != nil {
		return nil, err
	}
	h, records, whole, err := Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if whole < int64(len(text)) {
		if err := j.File.Cut(whole); err != nil {
			return nil, err
		}
	}
	if whole > 0 {
		return records, j.Header.Match(h)
	}
	line, err := Line(j.Header)
	if err != nil {
		return nil, err
	}
	return nil, j.File.Append(line)
}
