package main

import (
	"bytes"
	"fmt"
	"kouzui/cmd/internal/shaped"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tinySwarm is played within milliseconds.
const tinySwarm = `name = "tiny"
content = "256 KiB"
piece = "64 KiB"
[[class]]
name = "seed"
have = 1.0
up = "100 KiB"
[[class]]
name = "leecher"
count = 4
up = "50 KiB"
`

const tinyExperiment = `scenario = "tiny.toml"
seeds = 100
[vary]
"class.picker" = ["rarest", "random"]
`

// field is where a sweep is tested: a folder with an experiment, and hosts.
type field struct {
	t       *testing.T
	dir     string
	program string
	hosts   []host // the first is that of the sweep
}

type host struct {
	addr   string
	within []string // the command in front of a program there
}

func newField(t *testing.T) *field {
	f := &field{t: t, dir: t.TempDir(), hosts: []host{{addr: "127.0.0.1"}}}
	for name, text := range map[string]string{"tiny.toml": tinySwarm, "exp.toml": tinyExperiment} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f.program = filepath.Join(f.dir, "kouzui") // by this name the test is kouzui, see TestMain
	if err := os.Symlink(self, f.program); err != nil {
		t.Fatal(err)
	}
	return f
}

// namespaces replaces the hosts by so many in a network that this test is in,
// too, as the first.
func (f *field) namespaces(count int) error {
	if err := shaped.EnterThread(); err != nil {
		return err
	}
	n, err := shaped.New(make([]shaped.Link, count-1))
	if err != nil {
		return err
	}
	f.t.Cleanup(n.Close)
	f.hosts = []host{{addr: n.Bridge.String()}}
	for _, h := range n.Hosts {
		f.hosts = append(f.hosts, host{h.Addr.String(), h.Within})
	}
	return nil
}

// running is a kouzui that was started.
type running struct {
	*exec.Cmd
	out, err bytes.Buffer
}

// start starts kouzui on a host.
func (f *field) start(on host, args ...string) *running {
	f.t.Helper()
	args = append(append(on.within[:len(on.within):len(on.within)], f.program), args...)
	r := &running{Cmd: exec.Command(args[0], args[1:]...)}
	r.Dir, r.Stdout, r.Stderr = f.dir, &r.out, &r.err
	if err := r.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = r.Process.Kill() }) // it has ended, if all is well
	return r
}

// ends waits for a kouzui, and holds its exit code.
func (f *field) ends(r *running, code int) string {
	f.t.Helper()
	_ = r.Wait() // the code tells
	if got := r.ProcessState.ExitCode(); got != code {
		f.t.Fatalf("%s: exit code %d, want %d: %s", r, got, code, &r.err)
	}
	return r.out.String()
}

func (f *field) read(name string) string {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// growth tells when a file of the field has grown.
type growth struct {
	f    *field
	name string
	fd   int
}

func (f *field) watch(name string) *growth {
	f.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { unix.Close(fd) })
	if err := os.WriteFile(filepath.Join(f.dir, name), nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(f.dir, name), unix.IN_MODIFY); err != nil {
		f.t.Fatal(err)
	}
	return &growth{f, name, fd}
}

// await returns when the file has so many lines.
func (g *growth) await(lines int) {
	g.f.t.Helper()
	for strings.Count(g.f.read(g.name), "\n") < lines {
		if _, err := unix.Read(g.fd, make([]byte, 64<<10)); err != nil && err != unix.EINTR {
			g.f.t.Fatal(err)
		}
	}
}

// TestNothingIsLostWhenProcessesAreKilled: workers are killed at any moment,
// and the sweep three times. What is found is the same to the byte as in one
// process that plays all runs, and is not killed. As root the processes are on
// eight hosts, else on one.
func TestNothingIsLostWhenProcessesAreKilled(t *testing.T) {
	const (
		hosts      = 8
		every      = 13 // lines of the journal between two deaths
		sweepDeath = 4  // of so many deaths one is the sweep's
	)
	f := newField(t)
	want := f.ends(f.start(f.hosts[0], "lab", "experiment", "exp.toml", "--json"), 0)
	if runs := strings.Count(want, `"type":"run"`); runs != 200 || strings.Contains(want, "failure") {
		t.Fatalf("%d runs: %.1000s", runs, want)
	}
	if err := f.namespaces(hosts); err != nil {
		t.Logf("all workers are on this host: %v", err)
		for range hosts - 1 {
			f.hosts = append(f.hosts, f.hosts[0])
		}
	}
	f.ends(f.start(host{}, "lab", "certificates", "tls"), 0)
	port := freeTCP(t)
	at := net.JoinHostPort(f.hosts[0].addr, port)
	journal := f.watch("exp.journal")
	sweep := func() *running {
		return f.start(f.hosts[0], "lab", "sweep", "exp.toml", "--json", "--workers", "0", "--listen", at, "--tls-dir", "tls")
	}
	work := func(i int) *running { return f.start(f.hosts[i], "lab", "worker", at, "--tls-dir", "tls") }
	coordinator, workers := sweep(), make([]*running, hosts)
	for i := 1; i < hosts; i++ {
		workers[i] = work(i)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for n := 1; n*every < 195; n++ {
		journal.await(n * every)
		if n%sweepDeath == 0 {
			kill(coordinator)
			f.ends(coordinator, -1)
			coordinator = sweep()
			killed++
			continue
		}
		i := 1 + chance.IntN(hosts-1)
		kill(workers[i])
		f.ends(workers[i], -1)
		workers[i] = work(i)
	}
	if killed != 3 {
		t.Fatalf("the sweep was killed %d times", killed)
	}
	if got := f.ends(coordinator, 0); got != want {
		t.Errorf("what comes out differs:\n%s\nand alone:\n%s", got, want)
	}
	text := f.read("exp.journal")
	t.Logf("%d outcomes for 200 runs, %d workers died at one", strings.Count(text, `"outcome"`), strings.Count(text, `"ended"`))
	for i, w := range workers {
		if i > 0 {
			_ = w.Process.Signal(syscall.SIGTERM) // one that was started last may not have joined
			_ = w.Wait()
		}
	}
}

// TestASweepsOwnWorkersAreKilled: those that the sweep has started itself, and
// the sweep. No worker outlives its sweep.
func TestASweepsOwnWorkersAreKilled(t *testing.T) {
	f := newField(t)
	want := f.ends(f.start(f.hosts[0], "lab", "experiment", "exp.toml", "--json"), 0)
	journal := f.watch("exp.journal")
	sweep := func() *running { return f.start(f.hosts[0], "lab", "sweep", "exp.toml", "--json", "--workers", "3") }
	coordinator := sweep()
	workers := map[int]bool{}
	for n := 1; n <= 9; n++ {
		journal.await(20 * n)
		lines := strings.Split(strings.TrimSpace(f.read("exp.journal")), "\n")
		_, label, _ := strings.Cut(lines[len(lines)-1], `"worker":"`)
		label, _, _ = strings.Cut(label, `"`)
		_, pid, _ := net.SplitHostPort(label)
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatalf("%s: %v", lines[len(lines)-1], err)
		}
		workers[number] = true
		if n%3 == 0 {
			kill(coordinator)
			f.ends(coordinator, -1)
			coordinator = sweep()
		} else if err := syscall.Kill(number, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			t.Fatal(err)
		}
	}
	if got := f.ends(coordinator, 0); got != want {
		t.Errorf("what comes out differs:\n%s\nand alone:\n%s", got, want)
	}
	again := f.start(f.hosts[0], "lab", "sweep", "exp.toml", "--json")
	if got := f.ends(again, 0); got != want {
		t.Errorf("what the journal alone has differs:\n%s", got)
	}
	for pid := range workers {
		for { // it ends when it reads the end of its input
			line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if err != nil || !bytes.Contains(line, []byte("worker")) {
				break
			}
			runtime.Gosched()
		}
	}
}

// TestAWorkerOfAnotherBuildIsRefused: a program that differs in one byte,
// though it has the right certificate. Both sides say so, and the sweep goes
// on.
func TestAWorkerOfAnotherBuildIsRefused(t *testing.T) {
	f := newField(t)
	other := *f
	other.program = filepath.Join(t.TempDir(), "kouzui")
	program, err := os.ReadFile(f.program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other.program, append(program, 0), 0o700); err != nil { // what follows an executable is not read
		t.Fatal(err)
	}
	f.ends(f.start(host{}, "lab", "certificates", "tls"), 0)
	at := net.JoinHostPort(f.hosts[0].addr, freeTCP(t))
	sweep := f.start(f.hosts[0], "lab", "sweep", "exp.toml", "--workers", "0", "--listen", at, "--tls-dir", "tls")
	stranger := other.start(f.hosts[0], "lab", "worker", at, "--tls-dir", "tls")
	other.ends(stranger, 1)
	if said := stranger.err.String(); !strings.Contains(said, "copy the program from one machine to all") {
		t.Errorf("the worker says %q", said)
	}
	f.ends(f.start(f.hosts[0], "lab", "worker", at, "--tls-dir", "tls"), 0)
	f.ends(sweep, 0)
	if said := sweep.err.String(); !strings.Contains(said, "is refused: it is of build") {
		t.Errorf("the sweep says %q", said)
	}
}

// kill ends a process, and what it is the front of, at once.
func kill(r *running) { _ = r.Process.Kill() }

func freeTCP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
