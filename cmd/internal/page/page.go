// Package page keeps the sections of a Markdown file that programs write, beside
// text that people wrote. A section is what lies between two lines
//
//	<!-- begin NAME -->
//	<!-- end NAME -->
//
// and is replaced as a whole; everything else stays as it is. Several programs
// can have their sections in one file.
package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Replace returns text with body, which is Markdown, as the section of that name.
// The section has to be there: where it stands is for people to say.
func Replace(text, name, body string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	before, rest, found := strings.Cut(text, begin)
	if !found {
		return "", fmt.Errorf("no line %q", strings.TrimSpace(begin))
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("no line %q after its begin", strings.TrimSpace(end))
	}
	return before + begin + "\n" + strings.TrimSpace(body) + "\n\n" + end + after, nil
}

// Update replaces one section of the file at path, which is there in full at
// any time.
func Update(path, name, body string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	replaced, err := Replace(string(text), name, body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".page")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(replaced)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
