package dict

import (
	"strings"
	"testing"

	"github.com/anacrolix/torrent/bencode"
)

var wide = Limits{Keys: 100, Values: 1000}

func TestReadTakes(t *testing.T) {
	for name, raw := range map[string]string{
		"empty":           "de",
		"unsorted":        "d1:b1:x1:a1:ye",
		"unsorted within": "d1:ad1:z0:1:a0:ee",
		"a key twice":     "d1:ai1e1:ai2ee",
		"huge integer":    "d1:ai" + strings.Repeat("9", 100) + "ee",
		"deepest":         "d1:a" + strings.Repeat("l", MaxDepth-1) + strings.Repeat("e", MaxDepth),
	} {
		if _, n, err := Read([]byte(raw+"tail"), wide); err != nil || n != len(raw) {
			t.Errorf("%s: read %d bytes of %d, %v", name, n, len(raw), err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":           "",
		"end alone":         "e",
		"list":              "le",
		"open":              "d",
		"open value":        "d1:a",
		"key without value": "d1:ae",
		"integer key":       "di1ei2ee",
		"list key":          "dl1:aei2ee",
		"no such type":      "d1:axe",
		"string too long":   "d1:a99:xe",
		"length overflows":  "d1:a99999999999999999999999:xe",
		"leading zero":      "d01:ai1ee",
		"negative length":   "d1:a-1:e",
		"no colon":          "d1:a3xabce",
		"empty integer":     "d1:aiee",
		"minus alone":       "d1:ai-ee",
		"letters":           "d1:ai0x1ee",
		"too deep":          "d1:a" + strings.Repeat("l", MaxDepth) + strings.Repeat("e", MaxDepth+1),
		"too many values":   "d1:al" + strings.Repeat("de", 1000) + "ee",
		"deep and open":     strings.Repeat("l", 1<<20),
	} {
		if d, _, err := Read([]byte(raw), wide); err == nil {
			t.Errorf("%s: taken as %v", name, d)
		}
	}
	if _, _, err := Read([]byte("d1:a0:1:b0:e"), Limits{Keys: 1, Values: 10}); err == nil {
		t.Error("more keys than the limit are taken")
	}
}

func TestValues(t *testing.T) {
	d, _, err := Read([]byte("d1:i2:xy1:ni-7e1:hi9999999999999999999e1:zi01e1:ll1:ai2ee1:dd1:ki1eee"), wide)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := d.Text("i"); s != "xy" || !ok {
		t.Errorf("text %q, %v", s, ok)
	}
	if n, ok := d.Int("n"); n != -7 || !ok {
		t.Errorf("integer %d, %v", n, ok)
	}
	for _, key := range []string{"h", "z", "i", "l", "none"} {
		if n, ok := d.Int(key); ok {
			t.Errorf("%q is taken for the integer %d", key, n)
		}
	}
	for _, key := range []string{"n", "l", "d", "none"} {
		if s, ok := d.Text(key); ok {
			t.Errorf("%q is taken for the text %q", key, s)
		}
	}
	if l, ok := d.List("l", 2); !ok || len(l) != 2 || string(l[1]) != "i2e" {
		t.Errorf("list %q, %v", l, ok)
	}
	if l, ok := d.List("l", 1); ok {
		t.Errorf("a list of more elements than asked for is taken as %q", l)
	}
	if in, ok := d.Dict("d", 1); !ok || len(in) != 1 {
		t.Errorf("dictionary %v, %v", in, ok)
	}
	if _, ok := d.Dict("d", 0); ok {
		t.Error("a dictionary of more keys than asked for is taken")
	}
}

func TestTheLastOfAKeyCounts(t *testing.T) {
	d, _, err := Read([]byte("d1:ai1e1:ai2e1:ale1:ai3ee"), wide)
	if n, ok := d.Int("a"); err != nil || !ok || n != 3 {
		t.Errorf("%d, %v, %v", n, ok, err)
	}
}

// Whatever passes the check, the library takes without complaint or panic.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"de", "d1:ai1ee", "d1:ald1:bi-0eeee", "d2:ab0:e!", "d1:a01:xe"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, n, err := Read(raw, wide)
		if err != nil {
			return
		}
		if n < 2 || n > len(raw) || len(d) > wide.Keys {
			t.Fatalf("%d bytes, %d keys of %q", n, len(d), raw)
		}
		for key, value := range d {
			d.Text(key)
			d.Int(key)
			if l, ok := d.List(key, len(raw)); ok != (value[0] == 'l') {
				t.Fatalf("list %q is read as %q", value, l)
			}
			var again bencode.Bytes
			if err := bencode.Unmarshal(value, &again); err != nil || string(again) != string(value) {
				t.Fatalf("value %q is read as %q, %v", value, again, err)
			}
		}
	})
}

// However large a value is, reading the dictionary around it does not copy it.
func TestValuesAreParts(t *testing.T) {
	raw := []byte("d1:a3:abc1:lli1e2:xyee")
	d, _, err := Read(raw, Limits{Keys: 10, Values: 10})
	if err != nil {
		t.Fatal(err)
	}
	if &d["a"][0] != &raw[4] || string(d["a"]) != "3:abc" {
		t.Errorf("a is %q, and a copy", d["a"])
	}
	list, _ := d.List("l", 10)
	if len(list) != 2 || &list[1][0] != &raw[16] || string(list[1]) != "2:xy" {
		t.Errorf("the list is %q, or a copy", list)
	}
}

func TestItemsAndPairs(t *testing.T) {
	raw := []byte("d1:ali1e2:xye0:de1:zi-5eetail")
	n, err := Check(raw, wide)
	if err != nil || n != len(raw)-len("tail") {
		t.Fatalf("%d bytes, %v", n, err)
	}
	got := ""
	for key, value := range Pairs(raw[:n]) {
		got += string(key) + "=" + string(value) + ";"
		for item := range Items(value) {
			got += string(item) + ","
		}
	}
	if want := "a=li1e2:xye;i1e,2:xy,=de;z=i-5e;"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for range Items([]byte("3:lee")) {
		t.Error("a string has items")
	}
	if _, err := Check(raw, Limits{Keys: 2, Values: 100}); err == nil {
		t.Error("more keys than the limit are taken")
	}
}

func TestGoingThroughADictAllocatesNothing(t *testing.T) {
	raw := []byte("d1:ali1e2:xye0:de1:zi-5ee")
	total := int64(0)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Check(raw, wide); err != nil {
			t.Fatal(err)
		}
		for _, value := range Pairs(raw) {
			n, _ := Int(value)
			total += n
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
