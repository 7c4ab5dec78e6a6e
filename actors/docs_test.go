package actors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The docs speak only of tests that there are, and docs/BOUNDS.md has one for
// every bound.
func TestTheDocsNameTheirTests(t *testing.T) {
	there := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && e.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil {
				there[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	pages, _ := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	top, _ := filepath.Glob(filepath.Join("..", "*.md"))
	for _, file := range append(pages, top...) {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range name.FindAllStringSubmatch(string(page), -1) {
			if !there[found[1]] {
				t.Errorf("%s: there is no %s", file, found[1])
			}
		}
	}
	bounds, err := os.ReadFile(filepath.Join("..", "docs", "BOUNDS.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(bounds)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !name.MatchString(cells[3]) || !strings.ContainsAny(cells[1], "0123456789`") {
			t.Errorf("a bound without its number or its test: %s", line)
		}
	}
	if rows == 0 {
		t.Error("there are no bounds")
	}
}
