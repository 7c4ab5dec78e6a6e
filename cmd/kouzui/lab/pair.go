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
	"slices"
	"strconv"
	"syscall"
	"time"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/kouzui/internal/lastwords"
	"kouzui/cmd/kouzui/internal/traceview"
	"kouzui/wire/metainfo"
)

// roundLimit bounds a round: one of a GiB takes some seconds.
const roundLimit = 3 * time.Minute

// pair is a seed and a downloader, each a process of this program, with one
// torrent between them.
type pair struct {
	self, dir string
	content   *noise.Content
}

// download is a round that was played.
type download struct {
	work.Round
	cores int           // of each process
	took  time.Duration // of the process that downloads
	whole time.Duration // from its connection until it has everything
}

func newPair(dir string, size int64) (*pair, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	content, err := noise.New(dir, "calibration", metainfo.ChoosePieceLength(size), []metainfo.FileSpec{{Length: size}})
	return &pair{self, dir, content}, err
}

// command prepares a process of this program on so many processors, whose last
// words are kept.
func (p *pair) command(ctx context.Context, cores int, args ...string) (*exec.Cmd, *lastwords.Words) {
	c := exec.CommandContext(ctx, p.self, args...)
	c.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
	words := &lastwords.Words{}
	c.Stderr = words
	return c, words
}

// round downloads the content once.
func (p *pair) round(ctx context.Context, cores int) (d download, err error) {
	d.cores = cores
	ctx, cancel := context.WithTimeout(ctx, roundLimit)
	defer cancel()
	port, err := freePort()
	if err != nil {
		return d, err
	}
	upTrace, downTrace := filepath.Join(p.dir, "up.trace"), filepath.Join(p.dir, "down.trace")
	out := filepath.Join(p.dir, "out")
	for _, old := range []string{upTrace, downTrace, out} {
		if err := os.RemoveAll(old); err != nil {
			return d, err
		}
	}
	seed, seedWords := p.command(ctx, cores, "seed", p.content.Torrent, "--dir", p.content.Dir, "--listen", "127.0.0.1", "--listen-port", port, "--allow-private", "--dht", "off", "--json", "--trace", upTrace)
	events, err := seed.StdoutPipe()
	if err != nil {
		return d, err
	}
	if err := seed.Start(); err != nil {
		return d, err
	}
	ready := make(chan bool, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		waitForSeeding(bufio.NewScanner(events), ready)
	}()
	end := func() {
		if runtime.GOOS == "windows" || seed.Process.Signal(syscall.SIGTERM) != nil { // a seed in the background of a script ignores SIGINT
			_ = seed.Process.Kill()
		}
		<-over
		_ = seed.Wait() // its exit code says that it was interrupted
	}
	if !<-ready {
		end()
		return d, errors.New("the seed does not start: " + seedWords.Last())
	}
	begin := time.Now()
	down, downWords := p.command(ctx, cores, "download", p.content.Torrent, "--dir", out, "--listen-port", "none", "--allow-private", "--dht", "off", "--peer", "127.0.0.1:"+port, "--json", "--trace", downTrace)
	var said bytes.Buffer
	down.Stdout = &said
	err = down.Run()
	d.took = time.Since(begin)
	end()
	switch {
	case err != nil:
		return d, fmt.Errorf("the download fails: %w", downWords.Why(err))
	case ctx.Err() != nil: // and its trace breaks off
		return d, fmt.Errorf("the seed has not ended within %v", roundLimit)
	}
	downloaded, err := readSeen(downTrace)
	if err != nil {
		return d, err
	}
	uploaded, err := readSeen(upTrace)
	d.whole = completedAt(&said).Sub(downloaded.connected)
	d.Down, d.Up = downloaded.moved(), uploaded.moved()
	return d, err
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

// completedAt is when a download says that it has everything; zero: it does
// not.
func completedAt(lines *bytes.Buffer) time.Time {
	for scanner := bufio.NewScanner(lines); scanner.Scan(); {
		var event struct {
			Type string
			TS   time.Time
		}
		if json.Unmarshal(scanner.Bytes(), &event) == nil && event.Type == "completed" {
			return event.TS
		}
	}
	return time.Time{}
}

// seen is what the trace of one process tells of work.
type seen struct {
	connected time.Time // the first connection; zero: there was none
	worked    []*event.Event
}

// Record implements event.Sink.
func (s *seen) Record(e *event.Event) {
	switch {
	case e.Kind == event.Worked:
		s.worked = append(s.worked, e)
	case e.Kind == event.Spawned && s.connected.IsZero() && (e.ActorKind == "peer" || e.ActorKind == "inbound-peer"):
		s.connected = e.Time
	}
}

// moved is what each kind of actor did while payload moved.
func (s *seen) moved() map[string]*event.Work { return traceview.Moved(slices.Values(s.worked)) }

func readSeen(path string) (*seen, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := trace.Read(f)
	if err != nil {
		return nil, err
	}
	s := &seen{}
	for e := range r.Events() {
		s.Record(e)
	}
	return s, r.Err()
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
