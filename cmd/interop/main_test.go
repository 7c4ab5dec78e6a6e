//go:build linux

package interop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
)

// Most of a run is spent waiting for the others' timers.
const atOnce = "8"

// npm is where the Makefile installs npm's tracker.
const npm = "testdata/npm"

var (
	program string // the kouzui under test
	kouzui  counterpart.Client
	runs    table
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", atOnce)
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	if program = os.Getenv(builtProgram); program != "" {
		return test(m)
	}
	program = filepath.Join(folder, "kouzui")
	build := exec.Command("go", "build", "-o", program, "../kouzui")
	if race {
		build.Args = slices.Insert(build.Args, 2, "-race")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return test(m)
}

func test(m *testing.M) int {
	kouzui = counterpart.Kouzui(program)
	code := m.Run()
	runs.print()
	return code
}

// installed returns the version of a program that a test needs, or ends the
// test.
func installed(t *testing.T, version func() (string, error)) string {
	t.Helper()
	v, err := version()
	if err == nil {
		return v
	}
	if os.Getenv("KOUZUI_INTEROP") == "must" {
		t.Fatalf("%v, and KOUZUI_INTEROP=must", err)
	}
	t.Skipf("%v; make test installs it", err)
	return ""
}

// start starts a client that is stopped when the test ends.
func start(t *testing.T, ctx context.Context, c counterpart.Client, task counterpart.Task) *counterpart.Process {
	t.Helper()
	p, err := c.Start(ctx, task)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the end of the log of %s at %s:\n%s", p.Name, p.Addr, p.LogTail())
		}
	})
	return p
}

// newTask is a task for the content c. Kouzui does not bind its outgoing
// connections to the address at which it listens, so a tracker believes that it
// listens at 127.0.0.1.
func newTask(t *testing.T, client counterpart.Client, c *noise.Content) counterpart.Task {
	task := counterpart.Task{Torrent: c.Torrent, Hash: c.Info.InfoHash.String(), Dir: t.TempDir(), Home: t.TempDir(), Place: counterpart.NewPlace()}
	if client.Name == kouzui.Name {
		task.Place.Host = "127.0.0.1"
	}
	return task
}

// seedTask is a task that seeds the content c.
func seedTask(t *testing.T, client counterpart.Client, c *noise.Content) counterpart.Task {
	task := newTask(t, client, c)
	task.Seed, task.Dir = true, c.Dir
	return task
}

// table is the record of the runs.
type table struct {
	mu   sync.Mutex
	rows []string
}

// begin starts the clock of a run, which ends with the test.
func (r *table) begin(t *testing.T, what ...string) {
	from := time.Now()
	t.Cleanup(func() {
		result := "ok"
		if t.Failed() {
			result = "FAILED"
		}
		row := fmt.Sprintf("%s\t%.1f\t%s", strings.Join(what, "\t"), time.Since(from).Seconds(), result)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rows = append(r.rows, row)
	})
}

func (r *table) print() {
	slices.Sort(r.rows)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "counterpart\tversion\tkouzui\ttorrent\tdialled by\tseconds\tresult")
	for _, row := range r.rows {
		fmt.Fprintln(w, row)
	}
	w.Flush()
}
