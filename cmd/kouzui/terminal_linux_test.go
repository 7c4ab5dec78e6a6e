package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

const terminalWidth, terminalHeight = 80, 36

// openTerminal makes a pseudo-terminal: the side of its user, and that of its
// programs.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here:", err)
	}
	t.Cleanup(func() { master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: terminalWidth, Row: terminalHeight}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// rows are what stands in a terminal, from the first row of its history on,
// without empty rows.
func rows(emulator *vt.Emulator) (rows []string) {
	for y := range emulator.ScrollbackLen() + terminalHeight {
		var row strings.Builder
		for x := range terminalWidth {
			cell := emulator.ScrollbackCellAt(x, y)
			if y >= emulator.ScrollbackLen() {
				cell = emulator.CellAt(x, y-emulator.ScrollbackLen())
			}
			if cell != nil {
				row.WriteString(cell.Content)
			}
		}
		if s := strings.TrimRight(row.String(), " "); s != "" {
			rows = append(rows, s)
		}
	}
	return rows
}

// terminal is what a program that succeeds has left on a terminal, from the
// first row of its history on.
func terminal(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	rows, fails := terminalOf(t, dir, args...)
	if fails {
		t.Errorf("%s fails: %s", args, strings.Join(rows, "\n"))
	}
	return rows
}

// terminalOf is the same of any program, and tells whether the program failed.
func terminalOf(t *testing.T, dir string, args ...string) (left []string, fails bool) {
	t.Helper()
	master, slave := openTerminal(t)
	c := exec.Command("kouzui", args...)
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, slave, slave, slave
	c.Env = append(os.Environ(), "TERM=xterm")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	emulator := vt.NewEmulator(terminalWidth, terminalHeight)
	io.Copy(emulator, master) // until the program has closed the terminal
	err := c.Wait()
	return rows(emulator), err != nil
}

// TestTerminal plays what a download and the commands that read traces write
// into a terminal with a history. Of the live view nothing is left; each result
// is there once.
func TestTerminal(t *testing.T) {
	dir := t.TempDir()
	const torrents = 7
	kouzui := func(args ...string) *exec.Cmd {
		c := exec.Command("kouzui", args...)
		c.Dir = dir
		return c
	}
	var files []string
	for i := range torrents {
		name := fmt.Sprintf("f%d", i)
		if err := os.WriteFile(filepath.Join(dir, name), pseudoRandom(name, 600_000), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := kouzui("create", name, "-q").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		files = append(files, name+".torrent")
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	seed := kouzui(append([]string{"seed", "--listen", "127.0.0.1", "--listen-port", port, "--max-upload-limit", "2M", "-q"}, files...)...)
	var said bytes.Buffer
	seed.Stderr = &said
	if err := seed.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		seed.Process.Signal(os.Interrupt)
		if err := seed.Wait(); err != nil {
			t.Errorf("the seed: %v, %s", err, said.String())
		}
	}()
	rows := terminal(t, dir, append([]string{"download", "-d", "got", "--listen-port", "none", "--peer", "127.0.0.1:" + port,
		"--on-complete", "echo on complete"}, files...)...)
	all := strings.Join(rows, "\n")
	for i := range torrents {
		for _, want := range []string{fmt.Sprintf("got/f%d", i), fmt.Sprintf("f%d: complete", i)} {
			if strings.Count(all, want) != 1 {
				t.Errorf("%s: %d times", want, strings.Count(all, want))
			}
		}
	}
	if n := strings.Count(all, "on complete"); n != torrents || len(rows) != 3*torrents {
		t.Errorf("got\n%s", all)
	}

	trace, err := filepath.Abs("../../testdata/killed.trace")
	if err != nil {
		t.Fatal(err)
	}
	piped, err := kouzui("trace", "stats", trace).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(terminal(t, dir, "trace", "stats", trace), "\n")+"\n", strings.ReplaceAll(string(piped), "\n\n", "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if rows := terminal(t, dir, "trace", "tree", trace); !strings.HasPrefix(rows[1], "more, 3 restarts") && !strings.HasPrefix(rows[1], "any more, 3 restarts") {
		t.Errorf("the first line is not wrapped at a space: %q", rows[:2])
	}
	for _, args := range [][]string{{"tail", trace}, {"why", trace, "60"}, {"diff", trace, filepath.Join(filepath.Dir(trace), "budget.trace")}} {
		args = append([]string{"trace"}, args...)
		rows, fails := terminalOf(t, dir, args...)
		piped, err := kouzui(args...).CombinedOutput()
		if (err == nil) == fails {
			t.Errorf("%s: %v", args, err)
		}
		if got, want := strings.Fields(strings.Join(rows, " ")), strings.Fields(string(piped)); !slices.Equal(got, want) {
			t.Errorf("%s: a word is broken\n%s", args, strings.Join(rows, "\n"))
		}
	}
}
