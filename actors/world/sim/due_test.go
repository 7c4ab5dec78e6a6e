package sim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The functions for which there are words exist: one that gets another name
// would be shown by that name and a line.
func TestWordsAreOfFunctions(t *testing.T) {
	there := map[string]map[string]bool{} // by folder
	for name := range asked {
		slash := strings.LastIndexByte(name, '/') + 1
		folder, function, _ := strings.Cut(name[slash:], ".")
		folder = name[:slash] + folder
		if there[folder] == nil {
			there[folder] = functions(t, filepath.Join("..", "..", folder))
		}
		if !there[folder][function] {
			t.Errorf("there is no %s", name)
		}
	}
}

// functions are the functions of a package, as the runtime names them.
func functions(t *testing.T, folder string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				of := types.ExprString(f.Recv.List[0].Type)
				if of[0] == '*' {
					of = "(" + of + ")"
				}
				name = of + "." + name
			}
			names[name] = true
		}
	}
	return names
}
