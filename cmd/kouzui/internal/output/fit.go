package output

import (
	"bytes"
	"io"

	"golang.org/x/term"

	"kouzui/cmd/kouzui/internal/paint"
)

// Width is how wide the terminal is to which w writes, 0 if w is none.
func Width(w io.Writer) int {
	f, ok := file(w)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Fit returns a writer that fits lines to the terminal to which w writes: a
// line that is too wide goes on in the next rows, behind hang cells. What goes
// to no terminal is left as it is.
func Fit(w io.Writer, hang int) io.Writer {
	width := Width(w)
	if width == 0 {
		return w
	}
	return &fitted{w: w, width: width, hang: hang}
}

type fitted struct {
	w           io.Writer
	width, hang int
	part        []byte // of a line, without its end
}

func (f *fitted) Write(p []byte) (int, error) {
	f.part = append(f.part, p...)
	var out []byte
	for {
		end := bytes.IndexByte(f.part, '\n')
		if end < 0 {
			break
		}
		out = append(out, paint.Wrap(string(f.part[:end]), f.width, f.hang)...)
		out = append(out, '\n')
		f.part = f.part[end+1:]
	}
	_, err := f.w.Write(out)
	return len(p), err
}
