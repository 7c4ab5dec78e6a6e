//go:build unix

package store

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

// BenchmarkDownload takes pieces through the whole actor, into files in memory
// where there are such. An operation is a piece of 1 MiB; 24 are under way at a
// time.
func BenchmarkDownload(b *testing.B) {
	const pieces, length, ahead = 256, 1 << 20, 24
	dir := b.TempDir()
	if shm, err := os.MkdirTemp("/dev/shm", "store"); err == nil {
		dir = shm
		b.Cleanup(func() { os.RemoveAll(shm) })
	}
	s := storetest.New(b, length, pieces*length)
	w := real.New(real.Options{Pool: buffer.NewPool(0)})
	b.SetBytes(length)
	b.ReportAllocs()
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	for done := 0; done < b.N; done += pieces {
		b.StopTimer()
		r := newRig(b, w, s, dir)
		await[*messages.StoreReady](r)
		b.StartTimer()
		todo := min(pieces, b.N-done)
		sent := 0
		send := func() {
			if sent < todo {
				r.send(1, nil, s.Blocks(sent)...)
				sent++
			}
		}
		for range ahead {
			send()
		}
		for range todo {
			await[*messages.PieceVerified](r)
			send()
		}
		b.StopTimer()
		r.stop()
		os.RemoveAll(filepath.Join(dir, "data.part"))
		os.RemoveAll(filepath.Join(dir, "data"))
		os.RemoveAll(filepath.Join(dir, s.Torrent.JournalName()))
		runtime.GC()
		b.StartTimer()
	}
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(float64(cpu)/1e9/float64(b.N)*1024, "cpu-s/GiB")
}

func BenchmarkCheck(b *testing.B) {
	const length = 256 << 20
	s := storetest.New(b, 1<<20, length)
	dir := b.TempDir()
	w := real.New(real.Options{Pool: buffer.NewPool(0)})
	place(b, s, w.Disk, dir, "data", nil)
	b.SetBytes(length)
	for b.Loop() {
		r := newRig(b, w, s, dir, func(c *Config) { c.Check = messages.CheckFull })
		if ready := await[*messages.StoreReady](r); !ready.Complete {
			b.Fatal("not complete")
		}
		r.stop()
	}
}
