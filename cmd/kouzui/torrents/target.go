package torrents

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"unicode/utf8"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

// target is where a torrent is written to. The file is created before hashing,
// which may take long, and gets its name when it is complete.
type target struct {
	path string
	temp *os.File // nil for stdout, a device or a pipe
}

func openTarget(path, name string, force bool) (*target, error) {
	if path == "-" {
		return &target{path: path}, nil
	}
	if path == "" {
		path = fileName(name)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return &target{path: path}, nil // a device or a pipe must not be replaced
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return nil, exit.Hint("--force replaces it.", exit.Errorf(exit.Foreign, "%s exists already", path))
	}
	// The short name is one that every file system takes, the mode as the user's
	// umask has it.
	temp, err := os.OpenFile(filepath.Join(filepath.Dir(path), fmt.Sprintf(".kouzui-%016x", rand.Uint64())), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, exit.With(exit.Create, err)
	}
	return &target{path: path, temp: temp}, nil
}

// fileName is what the torrent of content called name is called. A name without
// room for the extension is cut.
func fileName(name string) string {
	const extension = ".torrent"
	for len(name) > metainfo.MaxPathPart-len(extension) {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name + extension
}

func (t *target) write(raw []byte, stdout io.Writer) error {
	switch {
	case t.path == "-":
		_, err := stdout.Write(raw)
		return err
	case t.temp == nil:
		return exit.With(exit.IO, os.WriteFile(t.path, raw, 0))
	}
	_, err := t.temp.Write(raw)
	if err = errors.Join(err, t.temp.Close()); err != nil {
		return exit.With(exit.IO, err)
	}
	return exit.With(exit.Create, os.Rename(t.temp.Name(), t.path))
}

// discard removes a file that was not completed.
func (t *target) discard() {
	if t.temp != nil {
		t.temp.Close()
		os.Remove(t.temp.Name()) // fails if the file has got its name
	}
}
