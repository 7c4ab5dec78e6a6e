package kouzui_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/actors/lab/stage"
)

// TestAStrangerBuildsAProgram builds testdata/library in a module that has this
// one as a dependency, without network, and downloads with it.
func TestAStrangerBuildsAProgram(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod := strings.Replace(string(read(t, "go.mod")), "module kouzui", "module example.org/stranger", 1)
	mod += "\nrequire kouzui v0.0.0\n\nreplace kouzui => " + here + "\n"
	write(t, filepath.Join(dir, "go.mod"), []byte(mod))
	write(t, filepath.Join(dir, "go.sum"), read(t, "go.sum"))
	write(t, filepath.Join(dir, "main.go"), read(t, "testdata/library/main.go"))
	build := exec.Command("go", "build", "-mod=mod", "-o", "program", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	m, data := stage.Torrent(t, 1<<20, 64<<10)
	_, addr := seed(t, m, data)
	torrent := filepath.Join(dir, "a.torrent")
	write(t, torrent, encoded(t, m, data))
	out, err := exec.Command(filepath.Join(dir, "program"), torrent, dir, addr.String()).CombinedOutput()
	if err != nil || string(out) != m.Name+" is complete\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if !bytes.Equal(read(t, filepath.Join(dir, m.Name)), data) {
		t.Error("the data is wrong")
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func write(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}
