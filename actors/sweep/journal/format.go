package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kouzui/actors/sweep/job"
)

// Header is the first line of a journal: what its outcomes are of.
type Header struct {
	Format     int             `json:"sweep"` // see format
	Build      string          `json:"build"`
	Digest     string          `json:"digest"`
	Experiment json.RawMessage `json:"experiment"`
}

// format is the version of the format.
const format = 1

// maxLine is how many bytes a line may have: a header has the experiment.
const maxLine = 2 * job.MaxRemote

// NewHeader is the header of the journal of a sweep.
func NewHeader(s job.Subject) Header {
	return Header{format, s.Build, s.Digest, json.RawMessage(s.Experiment)}
}

// Line is how a header or a record stands in a journal.
func Line(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}

// ErrNoJournal: what was read is not the journal of a sweep.
var ErrNoJournal = errors.New("not the journal of a sweep")

// Read reads a journal. Whole is how many of its bytes are whole lines: a
// process that was killed may leave a line that was begun, which is left out.
// Of an empty journal whole is 0.
func Read(r io.Reader) (h Header, records []job.Record, whole int64, err error) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		switch {
		case errors.Is(err, io.EOF):
			return h, records, whole, nil // what was begun is not counted
		case err != nil:
			return h, records, whole, err
		}
		if n == 1 {
			if json.Unmarshal(line, &h) != nil || h.Format == 0 || h.Digest == "" {
				return h, nil, 0, ErrNoJournal
			}
			if h.Format != format {
				return h, nil, 0, fmt.Errorf("a journal of format %d; this program reads %d", h.Format, format)
			}
		} else {
			var record job.Record
			if err := json.Unmarshal(line, &record); err != nil || record.Job == "" || record.Outcome == "" && record.Ended == "" {
				return h, records, whole, fmt.Errorf("%w: line %d", ErrNoJournal, n)
			}
			records = append(records, record)
		}
		whole += int64(len(line))
	}
}

// readLine reads a line with its end. The error is io.EOF if the line has none.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil && len(bytes.TrimSpace(line)) == 0:
			return nil, ErrNoJournal
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: a line of more than %d bytes", ErrNoJournal, maxLine)
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// Errors of a journal that is another sweep's.
var (
	ErrOtherBuild      = errors.New("the journal is of another build of this program, whose runs may differ")
	ErrOtherExperiment = errors.New("the journal is of another experiment")
)

// Match returns an error unless other is of the same jobs.
func (h Header) Match(other Header) error {
	switch {
	case other.Digest != h.Digest:
		return ErrOtherExperiment
	case other.Build != h.Build:
		return ErrOtherBuild
	}
	return nil
}
