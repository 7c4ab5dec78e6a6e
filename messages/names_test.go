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

// Names finds by pattern what a parser of Go finds.
func TestNames(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok && s.Name.IsExported() {
				if _, is := s.Type.(*ast.StructType); is {
					want = append(want, s.Name.Name)
				}
			}
			return true
		})
	}
	if got := Names(); !slices.Equal(got, want) || !slices.Contains(got, "BlocksArrived") {
		t.Errorf("names are %v, want %v", got, want)
	}
}
