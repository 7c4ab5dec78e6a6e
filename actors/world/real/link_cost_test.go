//go:build linux

package real

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// seederEnv makes the test binary a process that serves the file it names to
// whoever connects, for as long as its standard input is open.
const seederEnv = "KOUZUI_TEST_SEED"

func TestMain(m *testing.M) {
	if name := os.Getenv(seederEnv); name != "" {
		seedFile(name)
		return
	}
	os.Exit(m.Run())
}

// costSize is how many bytes one round of the benchmark transfers.
const costSize = 1 << 30

// BenchmarkTransfer downloads a file of 1 GiB from another process over
// loopback, and tells what the two sides of a link cost, each alone in its
// process: requests, frames and system calls, without hashing and writing.
func BenchmarkTransfer(b *testing.B) {
	name := filepath.Join("/dev/shm", fmt.Sprintf("kouzui-cost-%d", os.Getpid()))
	f, err := os.Create(name)
	if err != nil {
		b.Skip(err)
	}
	defer os.Remove(name)
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * 7)
	}
	for range costSize / len(block) {
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	f.Close()

	seeder := exec.Command(os.Args[0])
	seeder.Env = append(os.Environ(), seederEnv+"="+name)
	in, _ := seeder.StdinPipe()
	out, _ := seeder.StdoutPipe()
	seeder.Stderr = os.Stderr
	if err := seeder.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	addr := netip.MustParseAddrPort(line[:len(line)-1])

	b.SetBytes(costSize)
	b.ReportAllocs()
	before := cpu()
	batches, rounds := 0, 0
	for b.Loop() {
		batches += leech(b, addr)
		rounds++
	}
	b.ReportMetric((cpu()-before).Seconds()/float64(rounds), "cpu-s/receive")
	b.ReportMetric(float64(batches)/float64(rounds), "batches/op")
	in.Close()
	if err := seeder.Wait(); err != nil {
		b.Fatal(err)
	}
	used := seeder.ProcessState.UserTime() + seeder.ProcessState.SystemTime()
	b.ReportMetric(used.Seconds()/float64(rounds), "cpu-s/send")
}

func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// leech requests the whole file, with a fixed number of requests under way, and
// counts the batches in which the blocks came.
func leech(b *testing.B, addr netip.AddrPort) int {
	const window = 256
	pool := buffer.NewPool(256)
	events := make(chan any, 16)
	n := NewNetwork(NetworkOptions{Pool: pool})
	n.Dial(addr, time.Minute, func(l messages.Link, err error) {
		if err != nil {
			panic(err)
		}
		events <- l
	})
	l := (<-events).(messages.Link)
	asked, got, batches := 0, 0, 0
	var ask []messages.Outgoing
	request := func(n int) {
		ask = ask[:0]
		for ; n > 0 && asked < costSize/buffer.Size; n-- {
			ask = append(ask, messages.Outgoing{Frame: frame.Frame{Kind: frame.Request, Index: uint32(asked), Length: buffer.Size}})
			asked++
		}
		l.Send(ask)
	}
	l.Expect(window)
	request(window)
	l.Start(frame.Limits{}, func(e any) { events <- e })
	blocks := make([]*buffer.Block, 0, 512)
	for e := range events {
		switch e := e.(type) {
		case *messages.FramesReceived:
			batches++
			blocks = blocks[:0]
			for _, f := range e.Frames {
				blocks = append(blocks, f.Block)
			}
			got += len(e.Frames)
			request(len(e.Frames))
			l.Expect(asked - got)
			l.Done(e)
			pool.ReleaseAll(blocks)
			if got == costSize/buffer.Size {
				l.Close(nil)
			}
		case *messages.LinkClosed:
			if got != costSize/buffer.Size {
				b.Fatal(e.Err)
			}
			return batches
		}
	}
	return batches
}

type fileSource struct{ f *os.File }

func (s *fileSource) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	_, err := unix.Preadv(int(s.f.Fd()), bufs, off)
	done(err)
}

func seedFile(name string) {
	f, err := os.Open(name)
	if err != nil {
		panic(err)
	}
	n := NewNetwork(NetworkOptions{Pool: buffer.NewPool(16)})
	l, err := n.Listen("127.0.0.1:0", 0, func(l messages.Link) { go seed(l, &fileSource{f}) }, func(err error) { panic(err) })
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func seed(l messages.Link, source messages.BlockSource) {
	events := make(chan any, 16)
	l.Start(frame.Limits{}, func(e any) { events <- e })
	var out []messages.Outgoing
	for e := range events {
		switch e := e.(type) {
		case *messages.FramesReceived:
			out = out[:0]
			for _, f := range e.Frames {
				out = append(out, messages.Outgoing{
					Frame:  frame.Frame{Kind: frame.Piece, Index: f.Index, Length: f.Length},
					Source: source, Offset: int64(f.Index) * buffer.Size,
				})
			}
			l.Done(e)
			l.Send(out)
		case *messages.LinkClosed:
			return
		}
	}
}
