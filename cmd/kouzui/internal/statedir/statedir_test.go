package statedir

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPath(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	t.Setenv("LocalAppData", "/home/somebody/.local/state")
	usual := filepath.Join("/home/somebody/.local/state", "kouzui", "a", "b")
	for base, want := range map[string]string{
		"":         usual,
		"relative": usual,
		"/state":   filepath.Join("/state", "kouzui", "a", "b"),
	} {
		t.Setenv("XDG_STATE_HOME", base)
		if got, err := Path("a", "b"); got != want || err != nil {
			t.Errorf("with %q: %s, %v", base, got, err)
		}
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("LocalAppData", "")
	if got, err := Path("a"); err == nil {
		t.Errorf("without a home: %s", got)
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one", "two", "file")
	for _, content := range []string{"first, longer", "second"} {
		if err := Write(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != content || err != nil {
			t.Errorf("it holds %q, %v", got, err)
		}
	}
	others, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(others) != 1 {
		t.Errorf("there are %v, %v", others, err)
	}

	// What cannot be written leaves nothing behind.
	if err := os.MkdirAll(filepath.Join(dir, "folder", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("a folder was replaced")
	}
	if others, _ := os.ReadDir(dir); len(others) != 2 {
		t.Errorf("there are %v", others)
	}
}
