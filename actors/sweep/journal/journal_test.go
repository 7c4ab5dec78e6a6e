package journal

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/actors/sweep/job"
)

// memory is a file that can be torn and refuse.
type memory struct {
	text   []byte
	refuse error
}

func (m *memory) Load() ([]byte, error) { return slices.Clone(m.text), m.refuse }

func (m *memory) Cut(length int64) error {
	m.text = m.text[:length]
	return nil
}

func (m *memory) Append(lines []byte) error {
	if m.refuse == nil {
		m.text = append(m.text, lines...)
	}
	return m.refuse
}

var (
	subject = job.Subject{Build: "b", Experiment: `{"name":"x"}`, Digest: "d"}
	first   = job.Record{Job: `{"seed":1}`, Worker: "x:1", Outcome: `{"values":[1]}`}
	second  = job.Record{Job: `{"seed":2}`, Worker: "x:2", Ended: "signal: killed"}
)

// scene is a journal below a probe in the place of the sweep.
func scene(t *testing.T, file *memory) *stage.Stage {
	s := stage.New(t)
	s.Perform(func() actor.Actor { return New(Config{File: file, Header: NewHeader(subject)}) })
	return s
}

func TestRecordsOutliveTheProcess(t *testing.T) {
	file := &memory{}
	t.Run("the first", func(t *testing.T) {
		s := scene(t, file)
		if m := stage.Next[*Loaded](s.Probe); len(m.Records) > 0 {
			t.Fatalf("a new journal has %+v", m.Records)
		}
		for _, r := range []job.Record{first, second} {
			s.Tell(&Write{r})
			if m := stage.Next[*Written](s.Probe); m.Record != r {
				t.Errorf("written is %+v, want %+v", m.Record, r)
			}
		}
	})
	file.text = append(file.text, `{"job":{"seed":3},"wor`...) // killed while it wrote
	t.Run("the second", func(t *testing.T) {
		s := scene(t, file)
		if m := stage.Next[*Loaded](s.Probe); !slices.Equal(m.Records, []job.Record{first, second}) {
			t.Errorf("loaded is %+v", m.Records)
		}
		s.Tell(&Write{first})
		stage.Next[*Written](s.Probe)
	})
	if _, records, whole, err := Read(bytes.NewReader(file.text)); err != nil || len(records) != 3 || whole != int64(len(file.text)) {
		t.Errorf("read are %+v, %d of %d bytes: %v", records, whole, len(file.text), err)
	}
}

func TestAnotherJournalIsRefused(t *testing.T) {
	header := func(change func(*Header)) string {
		h := NewHeader(subject)
		change(&h)
		line, err := Line(h)
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"of another build":      {header(func(h *Header) { h.Build = "other" }), ErrOtherBuild},
		"of another experiment": {header(func(h *Header) { h.Digest = "other" }), ErrOtherExperiment},
		"no journal":            {"text\n", ErrNoJournal},
		"no record":             {header(func(*Header) {}) + "{}\n", ErrNoJournal},
		"an empty line":         {header(func(*Header) {}) + "\n", ErrNoJournal},
		"an endless line":       {strings.Repeat("x", maxLine+1), ErrNoJournal},
	} {
		t.Run(name, func(t *testing.T) {
			file := &memory{text: []byte(c.text)}
			s := scene(t, file)
			if m := stage.Next[*Failed](s.Probe); !errors.Is(m.Err, c.want) {
				t.Errorf("%v, want %v", m.Err, c.want)
			}
			s.Tell(&Write{first})
			s.Settle()
			if string(file.text) != c.text {
				t.Error("it is written to")
			}
			s.Quiet(s.Probe)
		})
	}
}

func TestAFileThatRefusesIsTold(t *testing.T) {
	file := &memory{}
	s := scene(t, file)
	stage.Next[*Loaded](s.Probe)
	file.refuse = errors.New("full")
	s.Tell(&Write{first})
	if m := stage.Next[*Failed](s.Probe); !errors.Is(m.Err, file.refuse) {
		t.Errorf("%v", m.Err)
	}
	s.Tell(&Write{second}) // as the line before may be torn
	s.Settle()
	s.Quiet(s.Probe)
}

// TestATornJournalHasItsWholeLines: a journal that ends anywhere.
func TestATornJournalHasItsWholeLines(t *testing.T) {
	var text []byte
	records := []job.Record{first, second, first}
	var ends []int
	for _, v := range []any{NewHeader(subject), records[0], records[1], records[2]} {
		line, err := Line(v)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, line...)
		ends = append(ends, len(text))
	}
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		lines := 0
		for _, end := range ends {
			if end <= cut {
				lines++
			}
		}
		_, got, whole, err := Read(bytes.NewReader(text[:cut]))
		want := 0
		if lines > 0 {
			want = ends[lines-1]
		}
		if err != nil || !slices.Equal(got, records[:max(0, lines-1)]) || whole != int64(want) {
			t.Fatalf("%d bytes: %d records, %d whole bytes, %v", cut, len(got), whole, err)
		}
	})
}
