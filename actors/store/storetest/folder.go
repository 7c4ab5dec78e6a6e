package storetest

import (
	"sync/atomic"

	"kouzui/actors/world"
)

// CountingFolder counts the files that are open, and how many were at most.
type CountingFolder struct {
	world.Folder
	Files, Most atomic.Int64
}

type countedFile struct {
	world.File
	folder *CountingFolder
}

func (f *CountingFolder) count(file world.File, err error) (world.File, error) {
	if err != nil {
		return nil, err
	}
	n := f.Files.Add(1)
	for most := f.Most.Load(); n > most && !f.Most.CompareAndSwap(most, n); most = f.Most.Load() {
	}
	return &countedFile{file, f}, nil
}

// Open counts the file until it is closed.
func (f *CountingFolder) Open(name string, write bool) (world.File, error) {
	return f.count(f.Folder.Open(name, write))
}

// Create counts the file until it is closed.
func (f *CountingFolder) Create(name string) (world.File, error) {
	return f.count(f.Folder.Create(name))
}

func (f *countedFile) Close() error {
	f.folder.Files.Add(-1)
	return f.File.Close()
}
