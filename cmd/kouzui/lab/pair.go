package lab

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/kouzui/internal/traceview"
)

// roundLimit bounds a round: one of a GiB takes some seconds.
const roundLimit = 3 * time.Minute

// pair is a seed and a downloader, each a process of this program, with one
// torrent between them.
type pair struct {
	self, dir string
	torrent   string
}

func newPair(ctx context.Context, dir string, size int64) (*pair, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &pair{self: self, dir: dir, torrent: filepath.Join(dir, "calibration.torrent")}
	if err := writeRandom(p.content(), size); err != nil {
		return nil, err
	}
	create := p.command(ctx, 0, "create", p.content(), "-o", p.torrent)
	if err := create.Run(); err != nil {
		return nil, fmt.Errorf("the torrent cannot be made: %w: %s", err, lastLine(create.Stderr))
	}
	return p, nil
}

// command prepares a process of this program on so many processors; 0: as
// usual.
func (p *pair) command(ctx context.Context, cores int, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.self, args...)
	c.Env = os.Environ()
	if cores > 0 {
		c.Env = append(c.Env, "GOMAXPROCS="+strconv.Itoa(cores))
	}
	c.Stderr = &bytes.Buffer{}
	return c
}

// round downloads the content once.
func (p *pair) round(ctx context.Context, cores int) (r work.Round, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	port, err := freePort()
	if err != nil {
		return r, 0, err
	}
	upTrace, downTrace := filepath.Join(p.dir, "up.trace"), filepath.Join(p.dir, "down.trace")
	out := filepath.Join(p.dir, "out")
	for _, old := range []string{upTrace, downTrace, out} {
		if err := os.RemoveAll(old); err != nil {
			return r, 0, err
		}
	}
	seed := p.command(ctx, cores, "seed", p.torrent, "--dir", p.dir, "--listen", "127.0.0.1", "--listen-port", port, "--allow-private", "--json", "--trace", upTrace)
	events, err := seed.StdoutPipe()
	if err != nil {
		return r, 0, err
	}
	if err := seed.Start(); err != nil {
		return r, 0, err
	}
	ready := make(chan bool, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		waitForSeeding(bufio.NewScanner(events), ready)
	}()
	end := func() {
		if runtime.GOOS == "windows" || seed.Process.Signal(os.Interrupt) != nil {
			_ = seed.Process.Kill()
		}
		<-over
		_ = seed.Wait() // its exit code says that it was interrupted
	}
	if !<-ready {
		end()
		return r, 0, errors.New("the seed does not start: " + lastLine(seed.Stderr))
	}
	begin := time.Now()
	down := p.command(ctx, cores, "download", p.torrent, "--dir", out, "--listen-port", "none", "--allow-private", "--peer", "127.0.0.1:"+port, "--json", "--trace", downTrace)
	err = down.Run()
	took = time.Since(begin)
	end()
	if err != nil {
		return r, 0, fmt.Errorf("the download fails: %w: %s", err, lastLine(down.Stderr))
	}
	if r.Down, err = workOf(downTrace); err == nil {
		r.Up, err = workOf(upTrace)
	}
	return r, took, err
}

func lastLine(stderr any) string {
	lines := strings.Split(strings.TrimSpace(fmt.Sprint(stderr)), "\n")
	return lines[len(lines)-1]
}

// waitForSeeding reads the events of a seed to their end, and tells once
// whether it seeds.
func waitForSeeding(lines *bufio.Scanner, ready chan<- bool) {
	told := false
	for lines.Scan() {
		var event struct{ State string }
		if !told && json.Unmarshal(lines.Bytes(), &event) == nil && event.State == "seeding" {
			ready <- true
			told = true
		}
	}
	if !told {
		ready <- false
	}
}

// freePort is a port of the loopback interface that nobody uses.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// workOf reads what each kind of actor did while payload moved.
func workOf(path string) (map[string]*event.Work, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := trace.Read(f)
	if err != nil {
		return nil, err
	}
	return traceview.Moved(r)
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)

// processorName is the name of the processor where the system tells it.
func processorName() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if m := modelName.FindSubmatch(text); err == nil && m != nil {
		return string(m[1])
	}
	return "a processor without a name"
}
