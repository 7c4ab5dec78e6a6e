package actors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// goFiles parses the Go files of the module, tests among them if they are wanted,
// by their paths from its top.
func goFiles(t *testing.T, tests bool) (fset *token.FileSet, files map[string]*ast.File) {
	t.Helper()
	fset, files = token.NewFileSet(), map[string]*ast.File{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || e.Name() == ".git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || !tests && strings.HasSuffix(path, "_test.go"):
			return nil
		}
		name, _ := filepath.Rel("..", path)
		files[filepath.ToSlash(name)], err = parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 200 {
		t.Fatalf("only %d files found", len(files))
	}
	return fset, files
}
