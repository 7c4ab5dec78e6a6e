package sweepd

import (
	"io"
	"os"
	"path/filepath"

	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/outfile"
)

// file is the file of a journal, which this process has for itself.
type file struct {
	*os.File
	folder world.Folder
	unlock func()
}

// openFile opens the journal at path, or begins one.
func openFile(path string) (*file, error) {
	folder, err := new(real.Disk).OpenFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	unlock, err := folder.Lock(filepath.Base(path) + ".lock")
	if err != nil {
		folder.Close()
		return nil, err
	}
	opened, err := outfile.Open(path, outfile.Sweep)
	if err != nil {
		unlock()
		folder.Close()
		return nil, err
	}
	return &file{opened, folder, unlock}, nil
}

// Load implements journal.File.
func (f *file) Load() ([]byte, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// Cut implements journal.File.
func (f *file) Cut(length int64) error { return f.Truncate(length) }

// Append implements journal.File. The file is open for appending.
func (f *file) Append(lines []byte) error {
	_, err := f.Write(lines)
	return err
}

// Close lets go of the journal.
func (f *file) Close() error {
	err := f.Sync()
	if closed := f.File.Close(); err == nil {
		err = closed
	}
	f.unlock()
	f.folder.Close()
	return err
}
