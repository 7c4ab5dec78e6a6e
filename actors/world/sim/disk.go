package sim

import (
	"time"

	"kouzui/actors/world"
	"kouzui/actors/world/fake"
)

// DiskClass is how fast a disk is. The zero value answers at once.
type DiskClass struct {
	Rate    int64         // bytes a second, reading and writing together; 0: no bound
	Latency time.Duration // of each transfer and sync
}

// disk is a fake.Disk whose transfers take time, one after the other.
type disk struct {
	sim   *Sim
	class DiskClass
	*fake.Disk
	free int64 // when the transfers that were asked for are done, in nanoseconds
}

// release frees the locks of a process that has ended.
func (d *disk) release() { d.Unlock() }

// later runs do when a transfer of this many bytes is done, after all transfers
// before it.
func (d *disk) later(l *life, bytes int64, do func()) {
	if d.class == (DiskClass{}) {
		do()
		return
	}
	begins := max(d.free, d.sim.now)
	d.free = begins + taking(bytes, d.class.Rate)
	l.device(&l.disk, "disk", begins-d.sim.now, d.free-begins, bytes)
	d.sim.at(d.free+int64(d.class.Latency), Disk, l, do)
}

// taking is how long bytes take at a rate, in nanoseconds.
func taking(bytes, rate int64) int64 {
	if rate <= 0 {
		return 0
	}
	return int64(float64(bytes) / float64(rate) * 1e9)
}

// diskOf is the disk of one process.
type diskOf struct {
	disk *disk
	life *life
}

func (d diskOf) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.disk.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return folder{f, d}, nil
}

type folder struct {
	world.Folder
	on diskOf
}

func (f folder) Open(name string, write bool) (world.File, error) {
	return f.file(f.Folder.Open(name, write))
}

func (f folder) Create(name string) (world.File, error) { return f.file(f.Folder.Create(name)) }

func (f folder) file(opened world.File, err error) (world.File, error) {
	if err != nil {
		return nil, err
	}
	return file{opened, f.on}, nil
}

type file struct {
	world.File
	on diskOf
}

func (f file) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	f.on.disk.later(f.on.life, size(bufs), func() { f.File.ReadBlocks(bufs, off, done) })
}

func (f file) WriteBlocks(bufs [][]byte, off int64, done func(error)) {
	f.on.disk.later(f.on.life, size(bufs), func() { f.File.WriteBlocks(bufs, off, done) })
}

func (f file) Sync(done func(error)) {
	f.on.disk.later(f.on.life, 0, func() { f.File.Sync(done) })
}

func size(bufs [][]byte) (n int64) {
	for _, b := range bufs {
		n += int64(len(b))
	}
	return n
}
