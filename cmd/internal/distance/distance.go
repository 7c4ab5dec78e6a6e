//go:build linux

// Package distance makes a wire with a long round trip on one machine: two
// network namespaces with real TCP, between which packets are delayed.
//
// Each namespace has a TUN device whose other end is this process. The process
// carries packets from one device to the other, spaced as the rate of the wire
// spaces them, and delayed by half of the round trip. It drops packets only if
// more than the buffer of the wire holds are waiting. TCP's offloading makes
// packets of up to 64 KiB, which are carried whole, so that carrying costs
// little.
//
// The package needs root, and the program ip.
package distance

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options say what the wire is like.
type Options struct {
	RoundTrip time.Duration
	Rate      int64 // bytes a second each way, headers counted
	Buffer    int64 // bytes that may wait for their turn each way
	// Settings are for both namespaces, as for sysctl: name=value.
	Settings []string
}

// End is one end of the wire.
type End struct {
	Addr netip.Addr
	// Within is the command in front of a program that is to run at this end.
	Within []string

	namespace string
	device    *os.File
}

// Wire is what New made. It lasts until Close.
type Wire struct {
	Ends    [2]End
	Dropped atomic.Int64 // packets
	lanes   [2]*lane     // by the end that they leave
	closed  chan struct{}
	running sync.WaitGroup
}

// New makes a wire, and two namespaces for it alone.
func New(o Options) (*Wire, error) {
	sweep()
	w := &Wire{closed: make(chan struct{})}
	for i := range w.Ends {
		if err := w.Ends[i].open(i, o.Settings); err != nil {
			w.Close()
			return nil, err
		}
	}
	for i := range w.Ends {
		l := &lane{from: w.Ends[i].device, to: w.Ends[1-i].device, delay: o.RoundTrip / 2, rate: o.Rate, buffer: o.Buffer,
			dropped: &w.Dropped, closed: w.closed, packets: make(chan packet, maxPackets)}
		w.lanes[i] = l
		w.running.Go(l.take)
		w.running.Go(l.deliver)
	}
	return w, nil
}

// Close removes the namespaces. Programs that still run there lose their
// network.
func (w *Wire) Close() {
	close(w.closed)
	for i := range w.Ends {
		if d := w.Ends[i].device; d != nil {
			_ = d.Close()
		}
	}
	w.running.Wait()
	for i := range w.Ends {
		if name := w.Ends[i].namespace; name != "" {
			_ = run("ip", "netns", "delete", name)
		}
	}
}

// Carried is how many bytes an end has sent and the other end received, with
// headers.
func (w *Wire) Carried(from int) int64 { return w.lanes[from].carried.Load() }

// names of namespaces: the process that made it, and the end.
const names = "kouzui-%d-%d"

// sweep removes the namespaces of processes that were killed.
func sweep() {
	entries, _ := os.ReadDir("/run/netns")
	for _, e := range entries {
		var pid, end int
		if _, err := fmt.Sscanf(e.Name(), names, &pid, &end); err != nil {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); os.IsNotExist(err) {
			_ = run("ip", "netns", "delete", e.Name())
		}
	}
}

func (e *End) open(i int, settings []string) (err error) {
	namespace := fmt.Sprintf(names, os.Getpid(), i)
	if err := run("ip", "netns", "add", namespace); err != nil {
		return err
	}
	e.namespace = namespace
	e.Within = []string{"ip", "netns", "exec", namespace}
	name := fmt.Sprintf("kzt%d-%d", os.Getpid()%100_000, i)
	if e.device, err = openTUN(name); err != nil {
		return err
	}
	addrs := [2]netip.Addr{netip.AddrFrom4([4]byte{10, 9, 8, 1}), netip.AddrFrom4([4]byte{10, 9, 8, 2})}
	e.Addr = addrs[i]
	commands := [][]string{
		{"ip", "link", "set", name, "netns", namespace},
		{"ip", "-n", namespace, "link", "set", "lo", "up"},
		{"ip", "-n", namespace, "addr", "add", e.Addr.String(), "peer", addrs[1-i].String(), "dev", name},
		{"ip", "-n", namespace, "link", "set", name, "txqueuelen", fmt.Sprint(maxPackets), "up"},
	}
	for _, s := range settings {
		commands = append(commands, append(e.Within[:len(e.Within):len(e.Within)], "sysctl", "-q", "-w", s))
	}
	for _, command := range commands {
		if err := run(command...); err != nil {
			return err
		}
	}
	return nil
}

func run(command ...string) error {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
