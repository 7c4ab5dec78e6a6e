package actors_test

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/buffer"
	"kouzui/wire/udptracker"
)

// gate holds datagrams that come back until it is opened, so that whoever has
// asked waits meanwhile.
type gate struct {
	world.Packets
	holds func(data []byte) bool
	came  chan struct{} // closed when it holds the first

	mu     sync.Mutex
	open   bool
	behind []func() // hand on what it holds
}

// Bind implements world.Packets.
func (g *gate) Bind(addr netip.AddrPort, receive func([]messages.Datagram), failed func(error)) (world.PacketSocket, error) {
	return g.Packets.Bind(addr, func(batch []messages.Datagram) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.open || !slices.ContainsFunc(batch, func(d messages.Datagram) bool { return g.holds(d.Data) }) {
			receive(batch)
			return
		}
		if len(g.behind) == 0 {
			close(g.came)
		}
		g.behind = append(g.behind, func() { receive(batch) })
	}, failed)
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = true
	for _, handOn := range g.behind {
		handOn()
	}
}

// udpTrackerOf is a tracker over UDP that knows some peers.
func udpTrackerOf(t testing.TB, peers ...netip.AddrPort) (url string) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	known := announce.Reply{Interval: time.Minute}
	for _, addr := range peers {
		known.Peers = append(known.Peers, announce.Peer{Addr: addr})
	}
	var ended sync.WaitGroup
	ended.Go(func() {
		for packet := make([]byte, 1500); ; {
			n, from, err := conn.ReadFromUDPAddrPort(packet)
			if err != nil {
				return
			}
			answer := []byte(nil)
			switch r, err := udptracker.ParseRequest(packet[:n]); {
			case err != nil:
				continue
			case r.Action == udptracker.Connect:
				answer = udptracker.AppendConnected(nil, r.Transaction, 7)
			default:
				answer = udptracker.AppendReply(nil, r.Transaction, known, false)
			}
			_, _ = conn.WriteToUDPAddrPort(answer, from)
		}
	})
	t.Cleanup(func() { _ = conn.Close(); ended.Wait() })
	return "udp://" + conn.LocalAddr().String() + "/announce"
}

// findsAgain kills an actor while the only answers that lead to the seed are on
// their way: those of a tracker over UDP, or of the DHT. The seed is found all
// the same, by whoever comes in its place or by who has outlived it.
func findsAgain(t *testing.T, victim string, inDHT bool) {
	t.Parallel()
	torrent, data := stage.Torrent(t, 1<<20+999, 128<<10)
	victim = strings.Replace(victim, "HASH", torrent.InfoHash.String()[:8], 1)
	pool := buffer.NewPool(256)
	options := actors.Options{Listen: "127.0.0.1:0", Pool: pool, World: real.New(real.Options{Pool: pool, Version: "test"})}
	var seeds actors.Options
	if inDHT {
		seeds.DHT = &actors.DHT{AtOnce: true}
	}
	_, addr := seed(t, torrent, data, seeds)
	if inDHT {
		options.DHT = &actors.DHT{}
		options.DHT.Before[messages.IPv4].Nodes = []netip.AddrPort{addr}
	} else {
		torrent.Announce = [][]string{{udpTrackerOf(t, addr)}}
	}
	isDHT := func(data []byte) bool { return len(data) > 0 && data[0] == 'd' }
	held := &gate{Packets: options.World.Packets, holds: func(data []byte) bool { return isDHT(data) == inDHT }, came: make(chan struct{})}
	options.World.Packets = held

	dir := t.TempDir()
	n := start(t, options)
	n.add(torrent, messages.TorrentOptions{Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-held.came:
	case <-ctx.Done():
		t.Fatal("nobody was asked")
	}
	if err := n.Tree().Kill(victim, "on purpose"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Trace.Wait(ctx, func(e *event.Event) bool { return e.Kind == event.Restarted && e.Actor == victim }); err != nil {
		t.Fatalf("%s was not restarted: %v", victim, err)
	}
	held.release()
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
		t.Error("it is not complete")
	}
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}
