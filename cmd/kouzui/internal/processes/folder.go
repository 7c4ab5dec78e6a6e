package processes

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"kouzui/cmd/kouzui/internal/exit"
)

// folderPrefix begins the names of folders of swarms.
const folderPrefix = "kouzui-run-"

// Remover is the command of this program that removes the folder of a swarm.
const Remover = "remove-run"

// removeWithin is for how long removal is tried: processes that are about to
// end may still write.
const removeWithin = 10 * time.Second

// folder is that of a swarm. A process of its own removes it when a pipe from
// this program ends, and so whatever ends this program.
type folder struct {
	path    string
	remover *exec.Cmd
	pipe    io.Closer
}

// openFolder makes a folder in dir.
func openFolder(program, dir string) (*folder, error) {
	path, err := os.MkdirTemp(dir, folderPrefix)
	if err != nil {
		return nil, exit.With(exit.Mkdir, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	f := &folder{path: path, remover: &exec.Cmd{Path: program, Args: []string{os.Args[0], "lab", Remover, path}, Env: environment(path)}}
	apart(f.remover)
	if f.pipe, err = f.remover.StdinPipe(); err == nil {
		err = f.remover.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return f, nil
}

// close removes the folder.
func (f *folder) close() error {
	f.pipe.Close()
	if err := f.remover.Wait(); err != nil {
		return os.RemoveAll(f.path)
	}
	return nil
}

// RemoveAfter removes the folder of a swarm when alive ends.
func RemoveAfter(path string, alive io.Reader) error {
	if !strings.HasPrefix(filepath.Base(path), folderPrefix) {
		return exit.Usagef("", "%s is no folder of a swarm", path)
	}
	_, _ = io.Copy(io.Discard, alive) // its end, or an error, is the signal
	var err error
	for late := time.Now().Add(removeWithin); time.Now().Before(late); time.Sleep(removeWithin / 200) {
		if err = os.RemoveAll(path); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the folder of the swarm cannot be removed: %w", err)
}
