package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/vt"
	"golang.org/x/sys/unix"
)

// shell is a shell with job control on a terminal of its own.
type shell struct {
	t        *testing.T
	command  *exec.Cmd
	master   *os.File
	output   *bufio.Reader
	emulator *vt.Emulator
	seen     bytes.Buffer
}

func startShell(t *testing.T, script string) *shell {
	master, slave := openTerminal(t)
	s := &shell{t: t, master: master, output: bufio.NewReader(master), emulator: vt.NewEmulator(terminalWidth, terminalHeight)}
	s.command = exec.Command("sh", "-c", "set -m\n"+script)
	s.command.Dir, s.command.Stdin, s.command.Stdout, s.command.Stderr = t.TempDir(), slave, slave, slave
	s.command.Env = append(os.Environ(), "TERM=xterm")
	s.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	return s
}

// until reads what is written until text has come, once more than before.
func (s *shell) until(text string) {
	s.t.Helper()
	for begin := s.seen.Len(); !strings.Contains(s.seen.String()[begin:], text); {
		b, err := s.output.ReadByte()
		if err != nil {
			s.t.Fatalf("%q does not come: %v, %q", text, err, s.seen.String())
		}
		s.seen.WriteByte(b)
		s.emulator.Write([]byte{b})
	}
}

func (s *shell) types(text string) {
	if _, err := s.master.WriteString(text); err != nil {
		s.t.Error(err)
	}
}

// rest reads until the shell has ended.
func (s *shell) rest() {
	for b, err := s.output.ReadByte(); err == nil; b, err = s.output.ReadByte() {
		s.seen.WriteByte(b)
		s.emulator.Write([]byte{b})
	}
	if err := s.command.Wait(); err != nil {
		s.t.Errorf("%v: %q", err, s.seen.String())
	}
}

// TestStoppedByTheShell: Ctrl-Z stops a program with a live view, which draws
// again when the shell lets the program go on, in the size that the terminal
// has then. What the shell has written meanwhile is left alone.
func TestStoppedByTheShell(t *testing.T) {
	s := startShell(t, `kouzui tracker --listen 127.0.0.1:0
echo; echo "$ one"; read x; fg >/dev/null
echo; echo "$ two"; read x; fg >/dev/null || echo "$ ended"`)
	const view = "0 torrents, 0 peers (0 seeds), 0 announces"
	s.until(view)
	for _, mark := range []string{"$ one", "$ two"} {
		s.types("\x1a")
		s.until(mark)
		if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: terminalWidth / 2, Row: terminalHeight}); err != nil {
			t.Fatal(err)
		}
		s.types("\n")
		s.until("0 torrents")
	}
	s.types("\x03")
	s.rest()
	got := rows(s.emulator)
	for _, mark := range []string{"$ one", "$ two"} {
		if !slices.Contains(got, mark) {
			t.Errorf("what the shell has written is gone: %q", got)
		}
	}
	all := strings.Join(got, "\n")
	if n := strings.Count(all, "0 torrents"); n != 3 {
		t.Errorf("the live view stands there %d times, want 3: once before each stop, and at the end\n%s", n, all)
	}
}

// TestInTheBackground: a program in the background of a shell has no live view,
// and is not stopped for writing.
func TestInTheBackground(t *testing.T) {
	s := startShell(t, `kouzui demo --size 1M &
wait; echo "$ ended"`)
	s.until("$ ended")
	s.rest()
	if strings.Contains(s.seen.String(), "\x1b[K") || strings.Count(s.seen.String(), "the same as the original") != 2 {
		t.Errorf("got %q", s.seen.String())
	}
}

// TestIgnoredStop: where the parent ignores Ctrl-Z, nothing is stopped.
func TestIgnoredStop(t *testing.T) {
	s := startShell(t, `trap "" TSTP
kouzui tracker --listen 127.0.0.1:0
echo " $ code $?"`)
	s.until("0 torrents")
	s.types("\x1a")
	s.until("^Z")
	s.types("\x03")
	s.rest()
	// Below it may stand ^C, which the terminal may echo late.
	if got := rows(s.emulator); !slices.ContainsFunc(got, func(row string) bool { return strings.HasSuffix(row, "$ code 0") }) {
		t.Errorf("got %q", got)
	}
}
