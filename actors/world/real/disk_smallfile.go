package real

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"kouzui/actors/world"
)

func (f *folder) ReadFile(name string, limit int64) ([]byte, error) {
	data, err := f.readFile(name, limit)
	return data, f.fault("read", name, err)
}

func (f *folder) readFile(name string, limit int64) ([]byte, error) {
	opened, err := f.openRegular(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("longer than %d bytes", limit)
	}
	return data, nil
}

func (f *folder) WriteFile(name string, data []byte) error {
	return f.fault("write", name, f.replace(name, data))
}

// replace writes a temporary file and renames it to name. The temporary name is
// mostly the same, so that the next call removes what a crash left there.
func (f *folder) replace(name string, data []byte) (err error) {
	info, err := f.lstat(name)
	switch {
	case err == nil && info.IsDir():
		return world.ErrNotRegular
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	local := filepath.FromSlash(name)
	beside, err := f.temporary(name, data)
	if err != nil {
		return err
	}
	w, err := f.root.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.root.Remove(beside)
		}
	}()
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	if closed := w.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = f.root.Rename(beside, local)
	}
	if err == nil {
		err = f.syncDir(path.Dir(name))
	}
	return err
}

const (
	newSuffix   = ".kouzui-new"
	longestName = 255 // bytes of a name: what common file systems take
	headLength  = 15  // bytes by which a file of ours is known: less than the first line of a journal
)

// temporary is the name under which data is written before it is called name.
// Where that would be too long, or is the name of a stranger's file, it is made
// of the hash of the name. What a crash left there is removed.
func (f *folder) temporary(name string, data []byte) (string, error) {
	dir, base := path.Split(name)
	sum := sha1.Sum([]byte(base))
	for _, base := range []string{base, "." + hex.EncodeToString(sum[:])} {
		if len(base)+len(newSuffix) > longestName {
			continue
		}
		beside := dir + base + newSuffix
		local := filepath.FromSlash(beside)
		if _, err := f.lstat(beside); errors.Is(err, fs.ErrNotExist) {
			return local, nil
		}
		if f.begins(beside, data) {
			return local, f.root.Remove(local)
		}
	}
	return "", fs.ErrExist
}

// begins tells whether what is in a file may be what a crash left of data, or
// of what was written in its place before: nothing, zeros, or the same first
// bytes.
func (f *folder) begins(name string, data []byte) bool {
	opened, err := f.openRegular(name, os.O_RDONLY)
	if err != nil {
		return false
	}
	defer opened.Close()
	var head [headLength]byte
	n, err := io.ReadFull(opened, head[:min(len(data), headLength)])
	return (err == nil || err == io.EOF || err == io.ErrUnexpectedEOF) &&
		(bytes.Equal(head[:n], data[:n]) || bytes.Equal(head[:n], make([]byte, n)))
}
