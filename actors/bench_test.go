package actors_test

import (
	"runtime"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// BenchmarkWay is the whole way of a block: from a file through the actors of a
// seed and a socket to the actors of a downloader and a file. What it reports a
// block is of both sides together, and of the buffers that a download begins
// with.
func BenchmarkWay(b *testing.B) {
	const length, pieceLength = 128 << 20, 1 << 20
	s := newSwarm(b, length, pieceLength, 1)
	var mallocs, bytes uint64
	b.SetBytes(length)
	for b.Loop() {
		b.StopTimer()
		o := actors.Options{Listen: "127.0.0.1:0", Pool: buffer.NewPool(1024)}
		o.World = real.New(real.Options{Pool: o.Pool, Version: "test"})
		n := start(b, o)
		await(n, func(*messages.ListenerReady) bool { return true })
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.StartTimer()
		n.add(s.torrent, messages.TorrentOptions{Dir: b.TempDir(), Peers: s.addrs})
		await(n, func(m *messages.TorrentDone) bool { return m.Complete })
		b.StopTimer()
		runtime.ReadMemStats(&after)
		mallocs += after.Mallocs - before.Mallocs
		bytes += after.TotalAlloc - before.TotalAlloc
		if err := n.Shutdown(10 * time.Second); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	blocks := float64(b.N) * length / buffer.Size
	b.ReportMetric(float64(mallocs)/blocks, "allocs/block")
	b.ReportMetric(float64(bytes)/blocks, "B/block")
}
