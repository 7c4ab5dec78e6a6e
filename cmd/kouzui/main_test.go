package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"kouzui/actors/lab/hostile"
)

// endSoon is for the race detector, with which a process else takes a second to
// end.
const endSoon = "atexit_sleep_ms=0"

// noDHT keeps every program that a test starts out of the DHT, unless the test
// says otherwise: a torrent without tracker would be looked for there.
const noDHT = "off"

// noPortMapping keeps them from asking a router of this network for anything.
const noPortMapping = "true"

// The programs that tests start keep ignoring the signals that this program
// ignores from its start, as in the background of a script, unless it catches
// them.
func TestMain(m *testing.M) {
	if filepath.Ext(os.Args[0]) == ".test" { // else it is kouzui itself
		_ = os.Setenv("GORACE", endSoon)
		_ = os.Setenv("KOUZUI_DHT", noDHT)
		_ = os.Setenv("KOUZUI_NO_PORT_MAPPING", noPortMapping)
		for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
			if signal.Ignored(s) {
				signal.Notify(make(chan os.Signal, 1), s)
			}
		}
	}
	testscript.Main(m, map[string]func(){"kouzui": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":       exits,
			"interrupted": interrupted,
			"ends":        ends,
			"uploaded":    uploaded,
			"serve":       serve,
			"socks":       socks,
			"random":      random,
			"damage":      damage,
			"empty":       empty,
			"digests":     digests,
		},
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"PORT", "TRACKER"} {
				port, err := freePort()
				if err != nil {
					return err
				}
				e.Setenv(name, port)
			}
			e.Setenv("TZ", "UTC")
			e.Setenv("GORACE", endSoon)
			e.Setenv("KOUZUI_DHT", noDHT)
			e.Setenv("KOUZUI_NO_PORT_MAPPING", noPortMapping)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "netns" {
				return false, fmt.Errorf("there is no condition %s", name)
			}
			return namespacesPossible(), nil
		},
		UpdateScripts:       os.Getenv("KOUZUI_UPDATE") != "",
		RequireExplicitExec: true,
	})
}

// namespacesPossible tells whether network namespaces can be made and shaped.
func namespacesPossible() bool {
	for _, program := range []string{"ip", "tc", "sysctl"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return os.Geteuid() == 0
}

// Every command has an example, and a help that fits a terminal of 80 columns.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "completion" {
			return // the texts are cobra's
		}
		var help bytes.Buffer
		c.SetOut(&help)
		c.InitDefaultHelpFlag()
		if err := c.Help(); err != nil {
			t.Fatal(err)
		}
		if !c.HasExample() {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for word := range strings.FieldsSeq(c.Example) {
			if _, err := os.Stat(filepath.Join("..", "..", word)); strings.HasPrefix(word, "testdata/") && err != nil {
				t.Errorf("%s: the example names a file that is not there: %v", c.CommandPath(), err)
			}
		}
		for line := range strings.Lines(help.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("%s: this line is too long: %s", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

// freePort is a port at which no program listens.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// exits CODE COMMAND ARG...: runs the command, whose exit code must be CODE.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	err = ts.Exec(args[1], args[2:]...)
	holdsSchema(ts, args, ts.ReadFile("stdout"))
	switch {
	case errors.As(err, &ended):
		got = ended.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// interrupted CODE UNTIL COMMAND ARG...: runs the command, interrupts it once a
// line of its output contains UNTIL, and expects it to end with that code.
func interrupted(ts *testscript.TestScript, _ bool, args []string) {
	p := start(ts, args[2:])
	p.await(ts, args[1])
	p.signal(ts, os.Interrupt, args[0])
}

// serve UNTIL COMMAND ARG...: starts the command, goes on with the script once
// a line of its output contains UNTIL, and interrupts the command at the end of
// the script, where its exit code must be 0.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	p := start(ts, args[1:])
	ts.Defer(func() { p.signal(ts, os.Interrupt, "0") })
	p.await(ts, args[0])
}

// process is a command that runs while the script goes on.
type process struct {
	*exec.Cmd
	said *bufio.Scanner // on stdout and stderr
}

func start(ts *testscript.TestScript, args []string) *process {
	program := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[0])
	if args[0] == "sh" {
		program = "sh"
	}
	read, write, err := os.Pipe()
	ts.Check(err)
	defer write.Close()
	p := &process{exec.Command(program, args[1:]...), bufio.NewScanner(read)}
	p.Dir, p.Stdout, p.Stderr = ts.MkAbs("."), write, write
	ts.Check(p.Start())
	return p
}

func (p *process) await(ts *testscript.TestScript, until string) {
	for p.said.Scan() {
		holdsSchema(ts, p.Args, p.said.Text()+"\n")
		if strings.Contains(p.said.Text(), until) {
			return
		}
	}
	ts.Fatalf("%s ended without saying %q", p.Args, until)
}

// socks USER PASSWORD: runs a SOCKS5 proxy until the end of the script, whose
// address is then $PROXY.
func socks(ts *testscript.TestScript, _ bool, args []string) {
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	addr, err := (&hostile.SOCKS{User: args[0], Password: args[1]}).Serve(ctx)
	ts.Check(err)
	ts.Setenv("PROXY", addr)
}

// random FILE BYTES: makes a file of bytes that are the same in every run.
func random(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, pseudoRandom(args[0], n), 0o644))
}

// empty FOLDER: fails if there is anything in the folder.
func empty(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("%s holds %s", args[0], e.Name())
	}
}

// digests SIMULATED DEBUGGED: fails unless the digest with which the run of a
// debugger has ended is the hash that lab simulate has written.
func digests(ts *testscript.TestScript, _ bool, args []string) {
	simulated, debugged := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	_, hash, found := strings.Cut(simulated, `"hash":"`)
	hash, _, _ = strings.Cut(hash, `"`)
	if !found || !strings.Contains(debugged, `"digest":"`+hash+`"`) {
		ts.Fatalf("the hash is %q, and no digest is", hash)
	}
}

// damage FILE OFFSET: changes one byte.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	raw, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	raw[at] ^= 1
	ts.Check(os.WriteFile(path, raw, 0o644))
}

// pseudoRandom is n bytes that depend on name alone.
func pseudoRandom(name string, n int) []byte {
	raw := make([]byte, n)
	state := uint32(len(name) + 1)
	for _, c := range name {
		state = state*31 + uint32(c)
	}
	for i := range raw {
		state = state*1664525 + 1013904223
		raw[i] = byte(state >> 24)
	}
	return raw
}
