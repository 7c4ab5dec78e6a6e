// Package lastwords keeps what a process has said last on stderr, to tell why
// it has ended.
package lastwords

import (
	"bytes"
	"fmt"
	"strings"
)

// kept is how many bytes are kept.
const kept = 2048

// Words keeps the last bytes that were written.
type Words struct{ end []byte }

// Write implements io.Writer.
func (w *Words) Write(p []byte) (int, error) {
	w.end = append(w.end, p...)
	w.end = w.end[max(0, len(w.end)-kept):]
	return len(p), nil
}

// Last is the last line.
func (w *Words) Last() string {
	lines := strings.Split(string(bytes.TrimSpace(w.end)), "\n")
	return strings.ToValidUTF8(lines[len(lines)-1], "")
}

// Why adds the last line to the error of the process.
func (w *Words) Why(err error) error {
	last := w.Last()
	if err == nil || last == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, last)
}
