package actors_test

import (
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reaches are the calls and types by which a file gets at the network.
var reaches = map[string][]string{
	"net": {
		"Dial", "DialTCP", "DialTimeout", "DialUDP", "Dialer", "Listen", "ListenConfig", "ListenPacket", "ListenTCP", "ListenUDP",
		"DefaultResolver", "LookupAddr", "LookupHost", "LookupIP", "LookupTXT", "Resolver",
	},
	"http": {"Client", "DefaultClient", "DefaultTransport", "Get", "ListenAndServe", "Post", "Server", "Transport"},
}

// TestWhatReachesTheNetwork: each file that does stands in docs/HOSTILE.md with
// what binds it, and no other stands there.
func TestWhatReachesTheNetwork(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "HOSTILE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## What reaches the network")
	found := map[string]bool{}
	_, files := goFiles(t, false)
	for name, tree := range files {
		if strings.HasPrefix(name, "actors/lab/") || strings.HasPrefix(name, "cmd/interop/") || strings.HasPrefix(name, "cmd/bench") || strings.HasPrefix(name, "cmd/internal/") {
			continue // what tests and measures, at loopback
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, is := n.(*ast.SelectorExpr); is {
				if x, is := s.X.(*ast.Ident); is && slices.Contains(reaches[x.Name], s.Sel.Name) {
					found[name] = true
				}
				if s.Sel.Name == "LookupNetIP" { // of the resolver of a source
					found[name] = true
				}
			}
			return true
		})
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("%s reaches the network, and docs/HOSTILE.md does not say what binds it", name)
		}
	}
	for name := range strings.SplitSeq(table, "`") {
		if strings.HasSuffix(name, ".go") && !found[name] {
			t.Errorf("docs/HOSTILE.md says that %s reaches the network", name)
		}
	}
}
