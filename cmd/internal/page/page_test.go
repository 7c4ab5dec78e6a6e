package page

import (
	"os"
	"path/filepath"
	"testing"
)

const text = `# Title
<!-- begin one -->
old
<!-- end one -->
by hand
<!-- begin two -->
<!-- end two -->
`

func TestReplace(t *testing.T) {
	tests := []struct {
		name, text, section, want, err string
	}{
		{"what was there", text, "one",
			"# Title\n<!-- begin one -->\n\nnew\n\n<!-- end one -->\nby hand\n<!-- begin two -->\n<!-- end two -->\n", ""},
		{"an empty one", text, "two",
			"# Title\n<!-- begin one -->\nold\n<!-- end one -->\nby hand\n<!-- begin two -->\n\nnew\n\n<!-- end two -->\n", ""},
		{"none", text, "three", "", `no line "<!-- begin three -->"`},
		{"no end", "<!-- begin one -->\nold\n", "one", "", `no line "<!-- end one -->" after its begin`},
		{"end before begin", "<!-- end one -->\n<!-- begin one -->\n", "one", "", `no line "<!-- end one -->" after its begin`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Replace(tt.text, tt.section, "\nnew\n")
			if message(err) != tt.err {
				t.Fatalf("error %q, want %q", message(err), tt.err)
			}
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if err != nil {
				return
			}
			if again, _ := Replace(got, tt.section, "new"); again != got {
				t.Errorf("the second time\n%s", again)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page.md")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Update(path, "two", "new"); err != nil {
		t.Fatal(err)
	}
	want, _ := Replace(text, "two", "new")
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("got\n%s", got)
	}
	if err := Update(path, "three", "new"); message(err) != path+`: no line "<!-- begin three -->"` {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestTable(t *testing.T) {
	const want = `| client | cpu s |
|--------|------:|
| ×      |  1.00 |
| longer |  10.5 |
`
	if got := Table([]string{"client", "cpu s"}, [][]string{{"×", "1.00"}, {"longer", "10.5"}}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
