package messages

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sources parses the files of a folder that are no tests.
func sources(t *testing.T, folder string) (parsed []*ast.File) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	return parsed
}

// documented returns the doc of each message without its name, by name, and the
// names in the order of the source. A message is a type whose doc begins with
// its name and a colon.
func documented(t *testing.T) (docs map[string]string, order []string) {
	t.Helper()
	docs = map[string]string{}
	for _, f := range sources(t, ".") {
		for _, d := range f.Decls {
			g, is := d.(*ast.GenDecl)
			if !is || g.Tok != token.TYPE {
				continue
			}
			name := g.Specs[0].(*ast.TypeSpec).Name.Name
			if rest, is := strings.CutPrefix(g.Doc.Text(), name+": "); is {
				docs[name] = strings.Join(strings.Fields(rest), " ")
				order = append(order, name)
			}
		}
	}
	return docs, order
}

// Names has all messages, and nothing else.
func TestNames(t *testing.T) {
	_, want := documented(t)
	if len(want) < 60 {
		t.Fatalf("only %d messages found", len(want))
	}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("Names are %v, want %v", got, want)
	}
}
