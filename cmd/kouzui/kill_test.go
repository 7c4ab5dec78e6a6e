package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// ends SIGNAL CODE COUNT TEXT COMMAND ARG...: runs the command, sends it the
// signal once COUNT lines of its output have contained TEXT, and expects it to
// end with that code. The code of a killed process is -1. INT+INT are two
// signals at once.
func ends(ts *testscript.TestScript, _ bool, args []string) {
	names := strings.Split(args[0], "+")
	signals := map[string]os.Signal{"KILL": os.Kill, "TERM": syscall.SIGTERM, "INT": os.Interrupt, "HUP": syscall.SIGHUP}
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	p := start(ts, args[4:])
	for range count {
		p.await(ts, args[3])
	}
	for _, name := range names[1:] {
		ts.Check(p.Process.Signal(signals[name]))
	}
	p.signal(ts, signals[names[0]], args[1])
}

// uploaded MOST UNTIL COMMAND ARG...: starts the command, a seed that writes
// JSON, and goes on once a line of its output contains UNTIL. At the end of the
// script the seed must have uploaded at most MOST bytes.
func uploaded(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	p := start(ts, args[2:])
	ts.Defer(func() {
		last := p.signal(ts, os.Interrupt, "0")
		found := regexp.MustCompile(`"uploaded":(\d+)`).FindStringSubmatch(last)
		if found == nil {
			ts.Fatalf("the seed ended with %q", last)
		}
		if n, err := strconv.Atoi(found[1]); err != nil || n > most {
			ts.Fatalf("%d bytes were uploaded, more than %d", n, most)
		}
	})
	p.await(ts, args[1])
}

// signal ends the process and returns the last line of its output.
func (p *process) signal(ts *testscript.TestScript, signal os.Signal, code string) (last string) {
	ts.Check(p.Process.Signal(signal))
	for p.said.Scan() {
		last = p.said.Text()
		if signal != os.Kill { // which cuts a line short
			holdsSchema(ts, p.Args, last+"\n")
		}
	}
	p.Wait() // its outcome is the exit code
	if got := strconv.Itoa(p.ProcessState.ExitCode()); got != code {
		ts.Fatalf("%s: exit code %s, want %s; it said %q", strings.Join(p.Args, " "), got, code, last)
	}
	return last
}
