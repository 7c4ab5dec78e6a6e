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
	ImportPath, Dir, Name, Doc string
	GoFiles, Imports           []string
}

// packages are all packages of this module, without their tests.
var packages = sync.OnceValues(func() (all []pkg, err error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,GoFiles,Imports", "kouzui/...").Output()
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func list(t *testing.T) []pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

// actorFolders are the folders of actors: those directly below actors/ whose
// file of the same name, the shell, has a Receive.
var actorFolders = sync.OnceValue(func() map[string]bool {
	found := map[string]bool{}
	shells, _ := filepath.Glob("*/*.go")
	for _, file := range shells {
		if name := filepath.Dir(file); filepath.Base(file) == name+".go" {
			found[name] = hasReceive(file)
		}
	}
	return found
})

func hasReceive(file string) bool {
	text, err := os.ReadFile(file)
	return err == nil && bytes.Contains(text, []byte(") Receive(c actor.Context)"))
}

// A layer is a place in the tree of folders. Packages know what is below
// theirs.
type layer string

const (
	inWire     layer = "wire"            // bytes and values, no I/O
	inMessages layer = "messages"        // between actors
	inEvent    layer = "runtime/event"   // what is recorded, and what work costs: the leaves that a world knows of the runtime
	inClients  layer = "runtime/clients" // who connects to HTTP servers, those of a world too
	inWorld    layer = "world"           // the worlds, and the seam to them
	inRuntime  layer = "runtime"         // what actors run on
	inActor    layer = "actor"           // the folder of one actor, and what is below
	inAssembly layer = "actors"          // the tree of all actors
	inLab      layer = "lab"             // swarms that are simulated
	inLibrary  layer = "library"         // what other programs import
	inCommands layer = "cmd"
	inSamples  layer = "testdata" // programs that tests build
	nowhere    layer = "nowhere"
)

// knows lists what each layer may import beside itself.
var knows = map[layer][]layer{
	inWire:     {},
	inMessages: {inWire},
	inEvent:    {},
	inClients:  {inWire, inMessages},
	inWorld:    {inWire, inMessages, inEvent, inClients},
	inRuntime:  {inWire, inMessages, inEvent, inClients, inWorld},
	inActor:    {inWire, inMessages, inEvent, inWorld, inRuntime},
	inAssembly: {inWire, inMessages, inEvent, inWorld, inRuntime, inActor},
	inLibrary:  {inWire, inMessages, inEvent, inWorld, inRuntime, inAssembly},
	inLab:      {inWire, inMessages, inEvent, inWorld, inRuntime, inActor, inAssembly, inLibrary},
	inCommands: {inWire, inMessages, inEvent, inWorld, inRuntime, inActor, inAssembly, inLibrary, inLab},
	inSamples:  {inLibrary},
}

// layerOf says where a package stands, and for that of an actor, whose it is.
func layerOf(path string) (at layer, name string) {
	path, _ = strings.CutPrefix(path, "kouzui")
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	switch {
	case path == "":
		return inLibrary, ""
	case parts[0] != "actors":
		if _, is := knows[layer(parts[0])]; is {
			return layer(parts[0]), ""
		}
		return nowhere, ""
	case len(parts) == 1:
		return inAssembly, ""
	case len(parts) == 3 && parts[1] == "runtime" && (parts[2] == "event" || parts[2] == "work"):
		return inEvent, ""
	case len(parts) == 3 && parts[1] == "runtime" && parts[2] == "clients":
		return inClients, ""
	case actorFolders()[parts[1]]:
		return inActor, parts[1]
	}
	switch group := layer(parts[1]); group {
	case inWorld, inRuntime, inLab:
		return group, ""
	}
	return nowhere, ""
}

func ours(path string) bool { return path == "kouzui" || strings.HasPrefix(path, "kouzui/") }

// Layers know each other in one direction only, and actors meet in messages.
func TestLayers(t *testing.T) {
	assembled := map[string]bool{} // packages of actors that are part of the tree
	for _, p := range list(t) {
		if p.ImportPath == "kouzui/actors" {
			for _, imported := range p.Imports {
				assembled[imported] = true
			}
		}
	}
	for _, p := range list(t) {
		from, actor := layerOf(p.ImportPath)
		if from == nowhere {
			t.Errorf("%s is no actor, and stands in no group", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if !ours(imported) {
				if (from == inWire || from == inMessages) && slices.Contains([]string{"net", "net/http", "os", "os/exec"}, imported) {
					t.Errorf("%s imports %s: no I/O there", p.ImportPath, imported)
				}
				continue
			}
			to, other := layerOf(imported)
			switch {
			case from != to && !slices.Contains(knows[from], to):
				t.Errorf("%s (%s) imports %s (%s)", p.ImportPath, from, imported, to)
			case from == inActor && to == inActor && actor != other:
				t.Errorf("the actor %s knows the actor %s", actor, other)
			case from == inActor && to == inWorld && imported != "kouzui/actors/world":
				t.Errorf("the actor %s knows one of the worlds: %s", actor, imported)
			case from == inRuntime && to == inWorld && imported != "kouzui/actors/world":
				t.Errorf("%s knows one of the worlds: %s", p.ImportPath, imported)
			case (from == inCommands || from == inLab) && to == inActor && assembled[imported]:
				t.Errorf("%s knows the actor %s, which is part of the tree", p.ImportPath, other)
			case from == inCommands && to == inCommands && p.Name != "main" && !strings.Contains(imported, "/internal/"):
				t.Errorf("%s knows another family of commands: %s", p.ImportPath, imported)
			}
		}
	}
}

// In the folder of an actor, and of a child of it that has a folder of its own,
// only the shell knows the library of actors: the file of the folder's name,
// which has the Receive. Its core is plain Go.
func TestOnlyShellsKnowTheActorLibrary(t *testing.T) {
	const library = "github.com/asynkron/protoactor-go"
	for _, p := range list(t) {
		if at, _ := layerOf(p.ImportPath); at != inActor {
			continue
		}
		for _, name := range p.GoFiles {
			file := filepath.Join(p.Dir, name)
			if name == path.Base(p.ImportPath)+".go" && hasReceive(file) {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range tree.Imports {
				if imported, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(imported, library) {
					t.Errorf("%s/%s is no shell, and imports %s", p.ImportPath, name, imported)
				}
			}
		}
	}
}

// What is for tests says so in its first words. Nothing else imports package
// testing, or knows what is for tests.
func TestOnlyWhatIsForTestsImportsTesting(t *testing.T) {
	forTests := map[string]bool{}
	for _, p := range list(t) {
		forTests[p.ImportPath] = strings.HasPrefix(p.Doc, "Package "+p.Name+" is for tests")
	}
	for _, p := range list(t) {
		if forTests[p.ImportPath] {
			continue
		}
		for _, imported := range p.Imports {
			if imported == "testing" || strings.HasPrefix(imported, "testing/") || forTests[imported] {
				t.Errorf("%s imports %s, and does not say that it is for tests", p.ImportPath, imported)
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
		if at, _ := layerOf(p.ImportPath); at != inActor {
			continue
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
