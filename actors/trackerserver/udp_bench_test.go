package trackerserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/real"
	"kouzui/wire/metainfo"
	"kouzui/wire/udptracker"
)

// BenchmarkAnnouncesOverLoopback has the tracker answer announces of 1,000
// torrents over a real socket, for one client that has some under way at a
// time, in the same process. What the client takes is in the figures.
func BenchmarkAnnouncesOverLoopback(b *testing.B) {
	const torrents = 1000
	for _, window := range []int{1, 32} {
		b.Run(fmt.Sprintf("%d under way", window), func(b *testing.B) {
			conn := dialTracker(b)
			into := make([]byte, 2048)
			ask := func(packet []byte) {
				if _, err := conn.Write(packet); err != nil {
					b.Fatal(err)
				}
			}
			answered := func() udptracker.Answer {
				n, err := conn.Read(into)
				if err != nil {
					b.Fatal(err)
				}
				answer, err := udptracker.ParseAnswer(into[:n])
				if err != nil {
					b.Fatal(err)
				}
				return answer
			}
			ask(udptracker.AppendConnect(nil, 7))
			id, err := udptracker.ParseConnected(answered().Body)
			if err != nil {
				b.Fatal(err)
			}
			var packets [][]byte
			for n := range torrents {
				r := from1()
				r.InfoHash = metainfo.Hash{byte(n), byte(n >> 8)}
				packets = append(packets, udptracker.AppendAnnounce(nil, id, 7, r, "/announce"))
			}
			b.ReportAllocs()
			underWay := 0
			for i := 0; b.Loop(); i++ {
				if underWay == window {
					if answered().Action != udptracker.Announce {
						b.Fatal("not answered")
					}
					underWay--
				}
				ask(packets[i%torrents])
				underWay++
			}
			for range underWay {
				answered()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "announces/s")
		})
	}
}

// dialTracker starts a tracker at a port of the loopback, and returns a socket
// of a client. A read of a packet that is lost fails.
func dialTracker(b *testing.B) *net.UDPConn {
	w := real.New(real.Options{})
	system := supervise.NewSystem(zerolog.Nop())
	tree := supervise.New(supervise.Config{System: system, Clock: w.Clock, Chance: w.Chance})
	pid, err := tree.Spawn("tracker", tree.Props("tracker", func() actor.Actor { return New(Config{World: w}) }), supervise.Backoff{Base: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := tree.Shutdown(context.Background(), pid); err != nil {
			b.Error(err)
		}
	})
	front, err := ServeUDP(w.Packets, netip.MustParseAddrPort("127.0.0.1:0"), system.Root, pid, func(err error) { b.Error(err) })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(front.Close)
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(front.Addr()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		b.Fatal(err)
	}
	return conn
}
