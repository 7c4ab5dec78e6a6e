package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/vt"
)

// On a terminal the debugger completes names at a tab, tells what is wrong in a
// line and goes on, repeats a step for an empty line, and leaves the terminal
// as it was.
func TestDebuggerOnATerminal(t *testing.T) {
	dir := t.TempDir()
	scenario := "content = \"64 KiB\"\npiece = \"64 KiB\"\n[[class]]\nname = \"seed\"\nhave = 1.0\n[[class]]\nname = \"leech\"\n"
	if err := os.WriteFile(filepath.Join(dir, "s.toml"), []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	master, slave := openTerminal(t)
	c := exec.Command("kouzui", "lab", "debug", "s.toml", "--at-message", "50", "--node", "seed-001", "--color", "never")
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, slave, slave, slave
	c.Env = append(os.Environ(), "TERM=xterm")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	emulator, said := vt.NewEmulator(terminalWidth, terminalHeight), ""
	keys := []string{"st\t2\r", "\r", "mai\tseed-001/sch\t\r", "jump\r", "q\r"}
	for buf, typed := make([]byte, 4096), 0; ; {
		n, err := master.Read(buf)
		if err != nil {
			break // the program has closed the terminal
		}
		emulator.Write(buf[:n])
		said += string(buf[:n])
		if typed < len(keys) && strings.Count(said, "0.000000 s> ") > typed && strings.HasSuffix(said, "> ") {
			master.WriteString(keys[typed])
			typed++
			said += "\n"
		}
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	all := strings.Join(rows(emulator), "\n")
	for _, want := range []string{
		"0.000000 s  message 50: ", "\n0.000000 s> step 2\n0.000000 s  message 52: ", "\n0.000000 s>\n0.000000 s  message 54: ",
		"> mailbox seed-001/scheduler\nseed-001/scheduler: 0 messages waiting\n", "\n0.000000 s> jump\nthere is no command \"jump\"; help lists the commands\n0.000000 s> q",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}
