// Package page replaces sections of a Markdown file that programs write, among
// text that people write. A section is what stands between two lines
//
//	<!-- begin NAME -->
//	<!-- end NAME -->
//
// and is replaced as a whole. Everything else stays as it is, and several
// programs can have sections in one file.
package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Replace returns text with body, which is Markdown, as the section of that
// name. The section must exist already: people decide where a section stands.
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

// Picture writes an SVG to a file in folder, and returns the link to the file
// for the page.
func Picture(page, folder, name string, svg []byte) (link string, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, svg, 0o644); err != nil {
		return "", err
	}
	link, err = filepath.Rel(filepath.Dir(page), path)
	return filepath.ToSlash(link), err
}

// Update replaces one section of the file at path. The file is complete at any
// time.
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
