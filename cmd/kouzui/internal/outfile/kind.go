package outfile

import (
	"bytes"
	"io"
	"os"

	"kouzui/cmd/kouzui/internal/exit"
)

// Kind is a kind of file that a command writes. A path that is given by mistake
// may be that of a torrent or of data: what exists is written over, or added
// to, only if it is empty or of the kind.
type Kind struct {
	name   string
	begins string // how all of them begin
	text   bool   // they are any text
	grows  bool   // a new run adds to it
}

// The kinds of files.
var (
	Log    = Kind{name: "text", text: true, grows: true}
	Trace  = Kind{name: "a trace", begins: `{"kind":"header"`}
	Export = Kind{name: "a trace for Perfetto", begins: `{"displayTimeUnit"`}
	Page   = Kind{name: "a page", begins: "<!doctype html>"}
	Table  = Kind{name: "a table of runs", begins: "variant,seed,"}
	Sweep  = Kind{name: "the journal of a sweep", begins: `{"sweep":`, grows: true}
)

// looked is how many bytes of what exists are looked at: enough for a .torrent
// to show its hashes, which are no text.
const looked = 4 << 10

// check is match for the file at path. A link is of no kind: it is replaced,
// and what it leads to stays.
func (k Kind) check(path string) error {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil // Create tells more
	}
	f, err := os.Open(path)
	if err != nil {
		return exit.With(exit.Open, err)
	}
	defer f.Close()
	return k.match(path, f)
}

// match refuses what is not of the kind.
func (k Kind) match(path string, from io.ReaderAt) error {
	head := make([]byte, looked)
	n, err := from.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return exit.With(exit.IO, err)
	}
	head = head[:n]
	if k.text && !bytes.ContainsFunc(head, steers) || !k.text && (n == 0 || bytes.HasPrefix(head, []byte(k.begins))) {
		return nil
	}
	return exit.Hint("Give another path, or move the file away.", exit.Errorf(exit.Foreign, "%s exists already and is not %s", path, k.name))
}

// steers tells control characters that no text has. Terminals' escapes are in
// logs that were coloured.
func steers(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\x1b' }

// Spares refuses an output that is what the command reads, which would be lost.
func Spares(path, input string) error {
	out, missing := os.Stat(path)
	in, unread := os.Stat(input) // told when it is read
	if missing == nil && unread == nil && os.SameFile(in, out) {
		return exit.Usagef("Give another path.", "%s is read here, and cannot be written as well", path)
	}
	return nil
}
