package dhtnodes

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sample() memories {
	return memories{
		{ID: [20]byte{1, 2}, External: netip.MustParseAddr("192.0.2.1"), Nodes: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:6881")}},
		{ID: [20]byte{3}, Nodes: []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:1")}},
	}
}

var compare = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
var comparePorts = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kouzui", "dht.json")
	if n, err := read(path); err != nil || cmp.Diff(n, memories{}, compare, comparePorts) != "" {
		t.Errorf("of no file: %v, %v", n, err)
	}
	many := sample()
	for range 2 * maxNodes {
		many[1].Nodes = append(many[1].Nodes, netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666]:65535"))
	}
	few := many
	few[1].Nodes = many[1].Nodes[:maxNodes]
	for _, c := range []struct{ write, read memories }{{memories{}, memories{}}, {many, few}, {sample(), sample()}} {
		if err := c.write.write(path); err != nil {
			t.Fatal(err)
		}
		got, err := read(path)
		if diff := cmp.Diff(got, c.read, compare, comparePorts); diff != "" || err != nil {
			t.Errorf("%v, %s", err, diff)
		}
	}
}

func TestABrokenFileIsAnError(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	nodes := sample()
	if err := nodes.write(whole); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]string{
		"empty":                 "",
		"cut off":               string(text[:len(text)/2]),
		"no JSON":               "\x00\x01",
		"of another version":    strings.Replace(string(text), `"version":1`, `"version":2`, 1),
		"a short id":            strings.Replace(string(text), `"0102`, `"01`, 1),
		"an id that is none":    strings.Replace(string(text), `"0102`, `"xx02`, 1),
		"a node by name":        strings.Replace(string(text), "192.0.2.7:6881", "localhost:6881", 1),
		"a node without port":   strings.Replace(string(text), "192.0.2.7:6881", "192.0.2.7:0", 1),
		"a node of IPv6":        strings.Replace(string(text), "192.0.2.7:6881", "[2001:db8::1]:1", 1),
		"a node of IPv4":        strings.Replace(string(text), "[2001:db8::1]:1", "[::ffff:192.0.2.7]:1", 1),
		"an address of IPv6":    strings.Replace(string(text), `"192.0.2.1"`, `"::1"`, 1),
		"longer than it can be": string(text) + strings.Repeat(" ", maxLen),
	} {
		path := filepath.Join(dir, "broken")
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := read(path); err == nil {
			t.Errorf("%s: %v", name, n)
		}
	}
	if _, err := read(dir); err == nil {
		t.Error("a folder was read")
	}
}
