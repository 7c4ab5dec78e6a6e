package actors_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// pkg is what `go list -json` says of a package, as far as we look.
type pkg struct {
	ImportPath, Dir        string
	GoFiles, Imports, Deps []string
}

func list(t *testing.T) (all []pkg) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "kouzui/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// actorFolders are the folders of actors: those directly below actors/ whose file
// of the same name, the shell, has a Receive. The others are groups of packages
// that are no actors.
var actorFolders = sync.OnceValue(func() map[string]bool {
	found := map[string]bool{}
	shells, _ := filepath.Glob("*/*.go")
	for _, file := range shells {
		name := filepath.Dir(file)
		if filepath.Base(file) != name+".go" {
			continue
		}
		text, err := os.ReadFile(file)
		found[name] = err == nil && bytes.Contains(text, []byte(") Receive(c actor.Context)"))
	}
	return found
})

// actorOf is the name of the actor whose folder a package is in, or "".
func actorOf(path string) string {
	below, is := strings.CutPrefix(path, "kouzui/actors/")
	name, _, _ := strings.Cut(below, "/")
	if !is || !actorFolders()[name] {
		return ""
	}
	return name
}

// Layers know each other in one direction only, and actors meet in messages.
func TestLayers(t *testing.T) {
	packages := list(t)
	if len(packages) < 20 {
		t.Fatalf("only %d packages found", len(packages))
	}
	for _, p := range packages {
		for _, dep := range p.Deps {
			switch {
			case strings.HasPrefix(p.ImportPath, "kouzui/wire") && strings.HasPrefix(dep, "kouzui/") && !strings.HasPrefix(dep, "kouzui/wire"),
				p.ImportPath == "kouzui/messages" && strings.HasPrefix(dep, "kouzui/actors"),
				!strings.HasPrefix(p.ImportPath, "kouzui/cmd") && strings.HasPrefix(dep, "kouzui/cmd"):
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
			if other := actorOf(dep); strings.HasPrefix(p.ImportPath, "kouzui/cmd") && other != "" && slices.Contains(p.Imports, dep) && other != "trackerserver" {
				t.Errorf("%s knows the actor %s: commands use package actors", p.ImportPath, other)
			}
			if me, other := actorOf(p.ImportPath), actorOf(dep); me != "" && other != "" && me != other {
				t.Errorf("the actor %s knows the actor %s", me, other)
			}
		}
		if p.ImportPath == "kouzui/wire" || strings.HasPrefix(p.ImportPath, "kouzui/wire/") || p.ImportPath == "kouzui/messages" {
			for _, dep := range p.Imports {
				if dep == "net" || dep == "os" || dep == "net/http" {
					t.Errorf("%s imports %s: no I/O there", p.ImportPath, dep)
				}
			}
		}
	}
}

// allowed is what actors may use of packages that reach outside the process: a
// pattern as of path.Match. Of other packages everything may be used.
var allowed = map[string][]string{
	"os":           {},
	"os/exec":      {},
	"net":          {"SplitHostPort", "JoinHostPort"},
	"net/http":     {"Status*"},
	"math/rand/v2": {"Rand"},
	"math/rand":    {},
	"crypto/rand":  {},
	"time": {"Duration", "Time", "Month", "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour",
		"Unix*", "Date", "UTC"},
}

// Actors reach nothing outside but through their world.
func TestTheSeam(t *testing.T) {
	for _, p := range list(t) {
		if actorOf(p.ImportPath) == "" {
			continue
		}
		if slices.Contains(p.Imports, "kouzui/actors/world/real") {
			t.Errorf("%s knows the real world", p.ImportPath)
		}
		for _, name := range p.GoFiles {
			checkSeam(t, filepath.Join(p.Dir, name))
		}
	}
}

func checkSeam(t *testing.T, file string) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	imported := map[string]string{} // path by the name it has in this file
	for _, spec := range tree.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(strings.TrimSuffix(p, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = p
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		selector, is := n.(*ast.SelectorExpr)
		if !is {
			return true
		}
		x, is := selector.X.(*ast.Ident)
		if !is {
			return true
		}
		patterns, guarded := allowed[imported[x.Name]]
		if guarded && !slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := path.Match(pattern, selector.Sel.Name)
			return ok
		}) {
			t.Errorf("%v: an actor uses %s.%s", fset.Position(n.Pos()), x.Name, selector.Sel.Name)
		}
		return true
	})
}
