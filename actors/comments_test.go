package actors_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// goFiles parses the Go files of the module, tests among them if they are
// wanted, by their paths from its top.
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

// A doc comment begins with the name that it documents, exported or not,
// perhaps after an article. Within a group of constants or variables, a doc may
// be about several that follow each other, and then names one of them. The doc
// of a whole group is free.
func TestDocsBeginWithTheirName(t *testing.T) {
	t.Parallel()
	fset, files := goFiles(t, false)
	check := func(doc *ast.CommentGroup, names ...*ast.Ident) {
		if doc == nil {
			return
		}
		text := strings.TrimSpace(doc.Text())
		if text == "" { // a directive
			return
		}
		for _, article := range []string{"A ", "An ", "The "} {
			text = strings.TrimPrefix(text, article)
		}
		for _, name := range names {
			if rest, is := strings.CutPrefix(text, name.Name); is && (rest == "" || strings.ContainsAny(rest[:1], " ,.:;'\n")) {
				return
			}
		}
		t.Errorf("%v: the doc of %s begins %.30q", fset.Position(doc.Pos()), names[0].Name, text)
	}
	names := func(doc *ast.CommentGroup, of []*ast.Ident) {
		if doc != nil && !slices.ContainsFunc(of, func(name *ast.Ident) bool {
			return regexp.MustCompile(`\b` + name.Name + `\b`).MatchString(doc.Text())
		}) {
			t.Errorf("%v: the doc names none of %v", fset.Position(doc.Pos()), of)
		}
	}
	for _, file := range files {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				check(d.Doc, d.Name)
			case *ast.GenDecl:
				alone := !d.Lparen.IsValid()
				for i, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						check(s.Doc, s.Name)
						if alone {
							check(d.Doc, s.Name)
						}
					case *ast.ValueSpec:
						if alone {
							check(d.Doc, s.Names...)
						} else {
							names(s.Doc, following(d.Specs[i:]))
						}
					}
				}
			}
		}
	}
}

// following are the names of the first of specs, and of those after it that
// have no doc of their own.
func following(specs []ast.Spec) (names []*ast.Ident) {
	for i, spec := range specs {
		s, is := spec.(*ast.ValueSpec)
		if !is || i > 0 && s.Doc != nil {
			break
		}
		names = append(names, s.Names...)
	}
	return names
}

// Comments are wrapped at 80 columns, in which a tab is one.
func TestCommentsAreWrapped(t *testing.T) {
	t.Parallel()
	const width = 80
	fset, files := goFiles(t, true)
	for name, file := range files {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for _, group := range file.Comments {
			for _, c := range group.List {
				at := fset.Position(c.Pos())
				line := lines[at.Line-1]
				code := strings.HasPrefix(c.Text, "//\t") || strings.HasPrefix(c.Text, "//go:")
				if strings.TrimSpace(line) == c.Text && !code && utf8.RuneCountInString(line) > width && strings.Contains(c.Text[3:], " ") {
					t.Errorf("%s:%d is longer than %d columns", name, at.Line, width)
				}
			}
		}
	}
}
