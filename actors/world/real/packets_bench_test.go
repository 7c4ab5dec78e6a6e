package real

import (
	"fmt"
	"net"
	"testing"

	"kouzui/messages"
)

// BenchmarkDatagrams moves datagrams over loopback, window by window, by one
// call a packet, and by batches: to one address, which makes runs, and to two
// in turn, which does not. The lengths are those of an answer of the DHT, and
// of a full packet.
func BenchmarkDatagrams(b *testing.B) {
	const window = 64
	for _, length := range []int{100, 1400} {
		name := func(way string) string { return fmt.Sprintf("%s/%d bytes", way, length) }
		b.Run(name("one call each"), func(b *testing.B) {
			from, to := plain(b), plain(b)
			addr := to.LocalAddr().(*net.UDPAddr).AddrPort()
			data, into := make([]byte, length), make([]byte, 1<<16)
			b.SetBytes(int64(length))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := from.WriteToUDPAddrPort(data, addr); err != nil {
					b.Fatal(err)
				}
				if i%window == window-1 {
					for range window {
						if _, _, err := to.ReadFromUDPAddrPort(into); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
		for way, receivers := range map[string]int{"batches": 2, "runs": 1} {
			b.Run(name(way), func(b *testing.B) {
				from := bind(b, Packets{}, loopback)
				to := []*testSocket{bind(b, Packets{}, loopback), bind(b, Packets{}, loopback)}[:receivers]
				var batch []messages.Datagram
				for i := range window {
					batch = append(batch, messages.Datagram{Addr: to[i%receivers].Addr(), Data: make([]byte, length)})
				}
				b.SetBytes(int64(length))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%window != 0 {
						continue
					}
					if lost := from.Send(batch); lost > 0 {
						b.Fatal(lost, "lost")
					}
					for _, s := range to {
						s.receive(window / receivers)
					}
				}
			})
		}
	}
}

func plain(b *testing.B) *net.UDPConn {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}
