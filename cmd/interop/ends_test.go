//go:build linux

package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kouzui/actors/lab/hostile"
	"kouzui/cmd/interop/counterpart"
)

// These tests are about the end of a process, and what it costs.

// endsWithin is the most that a process may take to end after a SIGTERM.
const endsWithin = 6 * time.Second

// TestSIGTERMEndsADownload sends SIGTERM to a download whose tracker hangs and
// whose peers do not read what it sends. The download ends in time, and the
// next download fetches at most two pieces again.
func TestSIGTERMEndsADownload(t *testing.T) {
	for name, flags := range map[string][]string{
		"a good disk": nil,
		"a slow disk": {"--fault", "disk,slow=700ms,op=write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			silent := tracker("says nothing")
			ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
			var all sync.WaitGroup
			defer func() { cancel(); all.Wait() }()
			content := oneFile(t, 16<<20)
			data, err := os.ReadFile(filepath.Join(content.Dir, content.Info.Name))
			if err != nil {
				t.Fatal(err)
			}
			var served atomic.Int64
			seed, err := hostile.Listen(ctx, content.Info, "127.0.0.1", hostile.Seed{
				Data: data, Pause: time.Millisecond,
				Spoil: func(_, _ uint32, block []byte) { served.Add(int64(len(block))) },
			}.Script("a good seed"))
			if err != nil {
				t.Fatal(err)
			}
			hangs := serve(t, ctx, silent)
			task := newTask(t, kouzui, content)
			args := []string{"download", content.Torrent, "--dir", task.Dir, "--json", "--peer", seed.String()}
			first := exec.CommandContext(ctx, program, slices.Concat(args, flags, []string{
				"--listen", task.Place.Host, "--listen-port", strconv.Itoa(task.Place.Port), "--tracker", hangs.URL})...)
			out, err := first.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			pieces := func(n int) {
				for n > 0 && lines.Scan() {
					var line struct{ Pieces json.RawMessage }
					if bytes.Contains(lines.Bytes(), []byte(`"type":"piece"`)) && json.Unmarshal(lines.Bytes(), &line) == nil {
						n -= bytes.Count(line.Pieces, []byte(",")) + 1
					}
				}
				if n > 0 {
					t.Fatal("it ended too early")
				}
			}
			pieces(2)
			for i := range uint64(4) {
				greedy := hostile.Scripts[slices.IndexFunc(hostile.Scripts, func(s hostile.Script) bool { return s.Name == "a reader that never reads" })]
				all.Go(func() {
					_, _ = hostile.Run(ctx, content.Info, netip.Addr{}, netip.MustParseAddrPort(task.Place.Peer()), greedy, i)
				})
			}
			pieces(10)
			if err := first.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(endsWithin, func() {
				t.Error("it does not end")
				_ = first.Process.Kill()
			})
			defer late.Stop()
			for lines.Scan() {
			}
			_ = first.Wait() // its outcome is the exit code
			const interrupted = 7
			if code := first.ProcessState.ExitCode(); code != interrupted {
				t.Errorf("exit code %d", code)
			}
			late.Stop()

			if out, err := exec.CommandContext(ctx, program, append(args, "--listen-port", "none")...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := content.Verify(task.Dir, false); err != nil {
				t.Error(err)
			}
			cost := served.Load() - content.Info.Length
			t.Logf("%d bytes came twice", cost)
			// What is lost are the requests under way, some 20 blocks at this rate, and
			// parts of one or two pieces.
			if flags == nil && cost > 3*content.Info.PieceLength {
				t.Errorf("%d bytes came twice, more than three pieces of %d", cost, content.Info.PieceLength)
			}
		})
	}
}

// TestASeedWhoseDataChanges changes a byte while a process seeds. The first
// request for the byte reveals the change: the piece is not served, the user is
// warned, and the seed ends with the exit code for data that does not match.
func TestASeedWhoseDataChanges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := oneFile(t, 8<<20)
	task := seedTask(t, kouzui, content)
	seed := start(t, ctx, kouzui, task)
	f, err := os.OpenFile(filepath.Join(content.Dir, content.Info.Name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("changed"), 5<<20); err != nil {
		t.Fatal(err)
	}
	leech := newTask(t, kouzui, content)
	leech.Peers = []string{task.Place.Peer()}
	down := start(t, ctx, counterpart.Kouzui(program, "--stall-timeout", "2s"), leech)
	for _, p := range []*counterpart.Process{seed, down} {
		select {
		case <-p.Exited():
		case <-ctx.Done():
			t.Fatal("it goes on")
		}
	}
	const mismatch, stalled = 32, 2
	if seed.ExitCode() != mismatch || down.ExitCode() != stalled {
		t.Errorf("exit codes %d and %d", seed.ExitCode(), down.ExitCode())
	}
	log := seed.LogTail()
	if !strings.Contains(log, "the file is checked again") || !strings.Contains(log, "1 of 32 pieces is wrong or missing") {
		t.Error("the user is not warned")
	}
	if end := down.LogTail(); !strings.Contains(end, `"sha_failures":0`) || strings.Contains(end, "banned") {
		t.Error("a wrong block was served")
	}
}

// hostileTrackers are made once, because some of their answers take long to
// make.
var hostileTrackers = sync.OnceValue(hostile.Trackers)

func tracker(name string) hostile.Tracker {
	all := hostileTrackers()
	return all[slices.IndexFunc(all, func(x hostile.Tracker) bool { return x.Name == name })]
}
