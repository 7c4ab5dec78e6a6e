package actors_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are the texts about this program, by their paths from the top.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "testdata/*.md", "testdata/*/*.md"} {
		files, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel("..", file)
			found[filepath.ToSlash(name)] = string(text)
		}
	}
	if len(found) < 5 {
		t.Fatalf("only %d pages found", len(found))
	}
	return found
}

// declarations are the names that each package of this module declares, tests
// included, by the name of the package and a dot; those of functions also
// alone.
func declarations(files map[string]*ast.File) map[string]bool {
	found := map[string]bool{}
	for _, file := range files {
		of := strings.TrimSuffix(file.Name.Name, "_test") + "."
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				found[d.Name.Name] = true
				found[of+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						found[of+s.Name.Name] = true
					case *ast.ValueSpec:
						for _, name := range s.Names {
							found[of+name.Name] = true
						}
					}
				}
			}
		}
	}
	return found
}

// sourceFiles are the names of the files of this module, also with the folders
// in front of them: "peer.go", "peer/peer.go", "actors/peer/peer.go".
func sourceFiles(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && (e.Name() == "node_modules" || e.Name() == ".git") {
			return filepath.SkipDir
		}
		name, _ := filepath.Rel("..", path)
		for name, is := filepath.ToSlash(name), true; is; _, name, is = strings.Cut(name, "/") {
			found[name] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	fileName = regexp.MustCompile(`[\w./-]*\w\.go\b`)
	quoted   = regexp.MustCompile("`[^`\n]+`")
	member   = regexp.MustCompile(`\b[a-z]+\.[A-Z]\w*`)
)

// The docs and the comments name only tests, files and declarations that there
// are.
func TestDocsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	fset, files := goFiles(t, true)
	declared, there := declarations(files), sourceFiles(t)
	isFile := func(name string) bool {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "./"), "../")
		return there[name] || strings.HasPrefix(name, "X") || strings.HasPrefix(name, "Y") || strings.Contains(name, "/X") // stand for any
	}
	for page, text := range pages(t) {
		for _, found := range testName.FindAllStringSubmatch(text, -1) {
			if !declared[found[1]] {
				t.Errorf("%s: there is no %s", page, found[1])
			}
		}
		for _, words := range quoted.FindAllString(text, -1) {
			for _, name := range fileName.FindAllString(words, -1) {
				if !isFile(name) {
					t.Errorf("%s: there is no file %s", page, name)
				}
			}
		}
	}
	ours := map[string]bool{} // names of packages
	for _, file := range files {
		ours[file.Name.Name] = true
	}
	for _, file := range files {
		imports := map[string]bool{} // names of packages that are not ours
		for _, spec := range file.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); !strings.HasPrefix(path, "kouzui") {
				imports[filepath.Base(path)] = true
			}
		}
		for _, group := range file.Comments {
			text := prose(group.Text())
			for _, name := range fileName.FindAllString(text, -1) {
				if !isFile(name) {
					t.Errorf("%v: there is no file %s", fset.Position(group.Pos()), name)
				}
			}
			for _, name := range member.FindAllString(text, -1) {
				if of, _, _ := strings.Cut(name, "."); ours[of] && !imports[of] && !declared[name] {
					t.Errorf("%v: there is no %s", fset.Position(group.Pos()), name)
				}
			}
		}
	}
}

// prose is a comment without its lines of code.
func prose(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "\t") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// The file docs/BOUNDS.md has a number and a test for every bound.
func TestBoundsHaveTests(t *testing.T) {
	t.Parallel()
	rows := 0
	for line := range strings.Lines(pages(t)["docs/BOUNDS.md"]) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || !testName.MatchString(cells[3]) || !strings.ContainsAny(cells[1], "0123456789`") {
			t.Errorf("a bound without its number or its test: %s", line)
		}
	}
	if rows == 0 {
		t.Error("there are no bounds")
	}
}

// The page about traces describes every note that an actor makes by name.
func TestDocsHaveAllNotes(t *testing.T) {
	t.Parallel()
	page := pages(t)["testdata/TRACE.md"]
	_, files := goFiles(t, false)
	notes := map[string]bool{}
	text := func(e ast.Expr) {
		if lit, is := e.(*ast.BasicLit); is {
			notes[strings.Trim(lit.Value, `"`)] = true
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr: // supervise.Remark(c, "name", ...)
				if f, is := n.Fun.(*ast.SelectorExpr); is && f.Sel.Name == "Remark" && len(n.Args) > 1 {
					text(n.Args[1])
				}
			case *ast.CompositeLit: // remark{"name", ...}, of which the shell makes a note
				if of, is := n.Type.(*ast.Ident); is && of.Name == "remark" {
					text(n.Elts[0])
				}
			}
			return true
		})
	}
	if len(notes) < 10 {
		t.Errorf("only %d notes are found", len(notes))
	}
	for note := range notes {
		if !strings.Contains(page, "`"+note+"`") {
			t.Errorf("testdata/TRACE.md does not know %s", note)
		}
	}
}
