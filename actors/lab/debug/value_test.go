package debug

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/lab"
)

type inner struct {
	a, b int
	next *inner
}

type outer struct {
	name    string
	payload []byte
	hash    [4]byte
	at      time.Time
	took    time.Duration
	addr    netip.AddrPort
	bits    *bitset.BitSet
	err     error
	any     any
	list    []uint32
	ring    *inner
	byKey   map[int]*inner
	byName  map[string]inner
	*inner
	call func()
	none map[string]int
	zero int
}

func sample() *outer {
	ring := &inner{a: 1}
	ring.next = ring
	return &outer{
		name: "x\x1b[31m", payload: make([]byte, 1000), hash: [4]byte{0xab, 1}, at: lab.Epoch.Add(time.Second), took: time.Millisecond,
		addr: netip.MustParseAddrPort("10.0.0.1:6881"), bits: bitset.New(9).Set(0).Set(4).Set(5), err: errors.New("no\nway"), any: 7,
		list: []uint32{3, 1, 2}, ring: ring, byKey: map[int]*inner{10: {a: 1}, 9: {b: 2}}, byName: map[string]inner{"k": {a: 5}}, inner: &inner{a: 3},
		call: func() {}, none: map[string]int{}, zero: 0,
	}
}

func noTimer(any) string { return "" }

func TestValue(t *testing.T) {
	v, err := read(sample(), "", noTimer)
	if err != nil {
		t.Fatal(err)
	}
	const want = `debug.outer
  name: "x�[31m"
  payload: 1000 bytes
  hash: ab010000
  at: 1s
  took: 1ms
  addr: 10.0.0.1:6881
  bits: 3 of 9 bits set: 0 4-5
  err: "no way"
  any: 7
  list: [3, 1, 2]
  ring: {a: 1, b: 0, next: (above)}
  byKey: {9: {a: 0, b: 2, next: nil}, 10: {a: 1, b: 0, next: nil}}
  byName: {"k": {a: 5, b: 0, next: nil}}
  inner: {a: 3, b: 0, next: nil}
  call: (func)
  zero: none zero`
	if got := v.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFind(t *testing.T) {
	for path, want := range map[string]string{
		"took": "took: 1ms", "ring.next.next.a": "ring.next.next.a: 1", "byKey[10].a": "byKey[10].a: 1", "byKey.9.b": "byKey.9.b: 2",
		"byName[k].a": "byName[k].a: 5", "list[2]": "list[2]: 2", "a": "a: 3", "inner.a": "inner.a: 3", "next": "next: nil",
		"byKey[11]": `there is no "11" in byKey; there are 9, 10`, "list[3]": `there is no "3" in list; there are 0, ... 2`,
		"payload[0]": `there is no "0" in payload`, "took.x": `there is no "x" in took`, "byKey[": `"byKey[" has no ]`, "..": `".." is no path`,
		"at.wall": `there is no "wall" in at`, "nobody": `there is no "nobody" there; there are name, payload`,
	} {
		v, err := read(sample(), path, noTimer)
		got := v.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

type node struct {
	Kids  map[int]*node
	Words []string
	Up    *node
	Self  any
}

// However large and tangled a value is, its text is short, and is the same each
// time.
func TestValuesAreBounded(t *testing.T) {
	const mostLines, mostLine = 3 * mostValues, 4096
	rapid.Check(t, func(t *rapid.T) {
		all := []*node{{}}
		for i := range rapid.IntRange(1, 150).Draw(t, "nodes") {
			up := all[rapid.IntRange(0, len(all)-1).Draw(t, "up")]
			n := &node{Up: up, Words: make([]string, rapid.IntRange(0, 60).Draw(t, "words"))}
			for k := range n.Words {
				n.Words[k] = strings.Repeat("w", rapid.IntRange(0, 300).Draw(t, "length"))
			}
			if up.Kids == nil {
				up.Kids = map[int]*node{}
			}
			up.Kids[i] = n
			n.Self = all[rapid.IntRange(0, len(all)-1).Draw(t, "self")]
			all = append(all, n)
		}
		v, err := read(all[0], "", noTimer)
		if err != nil {
			t.Fatal(err)
		}
		lines := v.Lines("")
		if len(lines) > mostLines {
			t.Errorf("%d lines", len(lines))
		}
		for _, line := range lines {
			if len(line) > mostLine {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
		again, _ := read(all[0], "", noTimer)
		if again.String() != v.String() {
			t.Error("the text differs the second time")
		}
	})
}

// A map of many keys is sorted, and shows the first.
func TestALargeMap(t *testing.T) {
	large := map[uint32]bool{}
	for i := range uint32(50_000) {
		large[i] = true
	}
	v, err := read(large, "", noTimer)
	if want := fmt.Sprintf("… %d more", len(large)-mostEntries); err != nil || !strings.HasPrefix(v.String(), "map of 50000\n  0: true\n  1: true") || !strings.HasSuffix(v.String(), want) {
		t.Errorf("%v %v", v, err)
	}
}
