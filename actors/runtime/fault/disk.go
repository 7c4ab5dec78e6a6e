package fault

import (
	"io/fs"
	"time"

	"kouzui/actors/world"
)

// access is what a call does to a disk.
type access int

const (
	reads   access = iota
	changes        // names, or what is written already
	grows          // needs room, maybe
)

// refuses tells whether a disk with the error says refuses a call of this kind.
func refuses(says string, to access) bool {
	switch says {
	case "ENOSPC":
		return to == grows
	case "EROFS":
		return to != reads
	default:
		return true
	}
}

// disk is a world.Disk whose folders and files fail or are slow by plan. Only
// transfers are slow: reads and writes of blocks, and syncs of files.
type disk struct {
	world.Disk
	site *site
}

func (d disk) OpenFolder(dir string) (world.Folder, error) {
	f, err := d.Disk.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	return folder{f, d.site}, nil
}

// fails is the error with which a call is to fail, or nil.
func (s *site) fails(op, name string, to access) error {
	f := s.strike(Disk, func(spec *Spec) bool { return spec.Error != "" && spec.fits(name, to) && refuses(spec.Error, to) }, op+" "+name)
	if f == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: diskErrors[f.Error]}
}

// slow is by how much a transfer is delayed.
func (s *site) slow(op, name string, to access) time.Duration {
	f := s.strike(Disk, func(spec *Spec) bool { return spec.Error == "" && spec.fits(name, to) }, op+" "+name)
	if f == nil {
		return 0
	}
	return f.Time
}

func (s *Spec) fits(name string, to access) bool {
	return s.Path.Match(name) && (s.Op == "" || (s.Op == "read") == (to == reads))
}

type folder struct {
	world.Folder
	site *site
}

func (f folder) Stat(name string) (world.Info, error) {
	if err := f.site.fails("stat", name, reads); err != nil {
		return world.Info{}, err
	}
	return f.Folder.Stat(name)
}

func (f folder) ReadDir(name string) ([]string, error) {
	if err := f.site.fails("readdir", name, reads); err != nil {
		return nil, err
	}
	return f.Folder.ReadDir(name)
}

func (f folder) MkdirAll(name string) error {
	if err := f.site.fails("mkdir", name, grows); err != nil {
		return err
	}
	return f.Folder.MkdirAll(name)
}

func (f folder) Open(name string, write bool) (world.File, error) {
	to := reads
	if write {
		to = changes
	}
	if err := f.site.fails("open", name, to); err != nil {
		return nil, err
	}
	opened, err := f.Folder.Open(name, write)
	return f.file(name, opened, err)
}

func (f folder) Create(name string) (world.File, error) {
	if err := f.site.fails("open", name, grows); err != nil {
		return nil, err
	}
	opened, err := f.Folder.Create(name)
	return f.file(name, opened, err)
}

func (f folder) file(name string, opened world.File, err error) (world.File, error) {
	if err != nil {
		return nil, err
	}
	return file{opened, name, f.site}, nil
}

func (f folder) Rename(from, to string) error {
	if err := f.site.fails("rename", from, changes); err != nil {
		return err
	}
	return f.Folder.Rename(from, to)
}

func (f folder) Remove(name string) error {
	if err := f.site.fails("remove", name, changes); err != nil {
		return err
	}
	return f.Folder.Remove(name)
}

func (f folder) RemoveAll(name string) error {
	if err := f.site.fails("remove", name, changes); err != nil {
		return err
	}
	return f.Folder.RemoveAll(name)
}

func (f folder) ReadFile(name string, limit int64) ([]byte, error) {
	if err := f.site.fails("read", name, reads); err != nil {
		return nil, err
	}
	return f.Folder.ReadFile(name, limit)
}

func (f folder) WriteFile(name string, data []byte) error {
	if err := f.site.fails("write", name, grows); err != nil {
		return err
	}
	return f.Folder.WriteFile(name, data)
}

func (f folder) Sync(dir string) error {
	if err := f.site.fails("sync", dir, changes); err != nil {
		return err
	}
	return f.Folder.Sync(dir)
}

type file struct {
	world.File
	name string
	site *site
}

func (f file) ReadBlocks(bufs [][]byte, off int64, done func(error)) {
	f.transfer("read", reads, done, func() { f.File.ReadBlocks(bufs, off, done) })
}

func (f file) WriteBlocks(bufs [][]byte, off int64, done func(error)) {
	f.transfer("write", grows, done, func() { f.File.WriteBlocks(bufs, off, done) })
}

func (f file) Sync(done func(error)) {
	f.transfer("sync", changes, done, func() { f.File.Sync(done) })
}

func (f file) transfer(op string, to access, done func(error), do func()) {
	if err := f.site.fails(op, f.name, to); err != nil {
		done(err)
		return
	}
	if d := f.site.slow(op, f.name, to); d > 0 {
		f.site.clock.AfterFunc(d, do)
		return
	}
	do()
}

func (f file) Extend(size int64) error {
	if err := f.site.fails("extend", f.name, grows); err != nil {
		return err
	}
	return f.File.Extend(size)
}

func (f file) Stat() (world.Info, error) {
	if err := f.site.fails("stat", f.name, reads); err != nil {
		return world.Info{}, err
	}
	return f.File.Stat()
}
