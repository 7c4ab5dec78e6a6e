package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// longNames are names that leave no room for those beside them, of one file or
// of a folder with a file of the same name: of letters of one byte, and of two,
// three and four bytes that may be cut at each of their bytes.
func longNames() (names []string) {
	for _, length := range []int{237, 242, 249, 255} {
		names = append(names, strings.Repeat("n", length))
	}
	for _, letter := range []string{"ö", "本", "🎉"} {
		for shift := range len(letter) {
			before := strings.Repeat("x", shift)
			names = append(names, before+strings.Repeat(letter, (255-shift)/len(letter)))
		}
	}
	return names
}

// TestLongNames: torrents with the longest names that the system takes are
// created, seeded, downloaded, interrupted, resumed and verified. Nobody has
// their first pieces before the interrupt, so that none can be complete.
func TestLongNames(t *testing.T) {
	dir := t.TempDir()
	const pieceLength = 16 << 10
	data := make([]byte, 6*pieceLength) // whole pieces, whichever come first
	source := rand.NewChaCha8([32]byte{3})
	var torrents, files []string
	run := func(code int, args ...string) string {
		t.Helper()
		c := exec.Command("kouzui", args...)
		c.Dir = dir
		var said bytes.Buffer
		c.Stderr = &said
		out, err := c.Output()
		if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
			t.Fatalf("%.60q: %v, want %d: %s", args, err, code, said.String())
		}
		return string(out)
	}
	for i, name := range longNames() {
		file := name
		if i%2 == 1 {
			file = filepath.Join(name, name)
		}
		_, _ = source.Read(data) // never fails
		for folder, content := range map[string][]byte{"data": data, "part": slices.Concat(make([]byte, pieceLength), data[pieceLength:])} {
			path := filepath.Join(dir, folder, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		torrents = append(torrents, strings.TrimSpace(run(0, "create", filepath.Join("data", name), "--piece-length", "16K", "-q")))
		files = append(files, file)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}

	download := append([]string{"download", "-d", "got", "--listen-port", "none", "--peer", "127.0.0.1:" + port, "--json"}, torrents...)
	upload := func(args ...string) *exec.Cmd {
		return exec.Command("kouzui", slices.Concat(args, []string{"--listen", "127.0.0.1", "--listen-port", port, "--json"}, torrents)...)
	}

	part := upload("download", "-d", "part", "--stall-timeout", "1h")
	awaitEach(t, begin(t, part, dir), torrents, func(e jsonEvent) bool { return e.State == "downloading" })
	partly := exec.Command("kouzui", download...)
	begun := begin(t, partly, dir)
	awaitEach(t, begun, torrents, func(e jsonEvent) bool { return e.Type == "piece" })
	if err := partly.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for range begun {
	}
	if _ = partly.Wait(); partly.ProcessState.ExitCode() != 7 {
		t.Errorf("interrupted, it ends with %d", partly.ProcessState.ExitCode())
	}
	left := list(t, filepath.Join(dir, "got"))
	if len(left) < 2*len(torrents) {
		t.Errorf("of %d torrents there are %d names: %q", len(torrents), len(left), left)
	}

	_, _ = part.Process.Kill(), part.Wait()
	seed := upload("seed", "-d", "data")
	awaitEach(t, begin(t, seed, dir), torrents, func(e jsonEvent) bool { return e.State == "seeding" })
	out := run(0, download...)
	var last struct{ Bytes int }
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if whole := len(torrents) * len(data); last.Bytes > whole-len(torrents)*pieceLength {
		t.Errorf("fetched are %d of %d bytes, as if nothing had been there", last.Bytes, whole)
	}
	for i, file := range files {
		run(0, "verify", "-d", "got", torrents[i])
		want, err := os.ReadFile(filepath.Join(dir, "data", file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "got", file)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("file %d is wrong: %v", i, err)
		}
	}
	left = slices.DeleteFunc(list(t, filepath.Join(dir, "got")), func(name string) bool {
		return strings.HasSuffix(name, ".kouzui") || slices.Contains(longNames(), name)
	})
	if len(left) > 0 {
		t.Errorf("there is also %q", left)
	}
}

type jsonEvent struct {
	Type, State string
	InfoHash    string `json:"info_hash"`
}

// begin starts a command that writes JSON, and yields its events.
func begin(t *testing.T, c *exec.Cmd, dir string) <-chan jsonEvent {
	t.Helper()
	c.Dir = dir
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.Process.Kill(), c.Wait() }) // if it has not ended
	events := make(chan jsonEvent, 100_000)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e jsonEvent
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				events <- e
			}
		}
	}()
	return events
}

// awaitEach reads events until one of each torrent is such a one.
func awaitEach(t *testing.T, events <-chan jsonEvent, torrents []string, such func(jsonEvent) bool) {
	t.Helper()
	seen := map[string]bool{}
	for len(seen) < len(torrents) {
		e, more := <-events
		if !more {
			t.Fatalf("it ends with %d torrents of %d", len(seen), len(torrents))
		}
		if such(e) {
			seen[e.InfoHash] = true
		}
	}
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
