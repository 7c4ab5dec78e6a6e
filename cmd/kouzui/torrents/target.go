package torrents

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"kouzui/cmd/kouzui/internal/exit"
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
		path = name + ".torrent"
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return &target{path: path}, nil // a device or a pipe must not be replaced
	}
	if _, err := os.Lstat(path); err == nil && !force {
		return nil, exit.Hint("--force replaces it.", exit.Errorf(exit.Foreign, "%s exists already", path))
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, exit.With(exit.Create, err)
	}
	return &target{path: path, temp: temp}, nil
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
	if err == nil {
		err = t.temp.Chmod(0o644)
	}
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
