// Package statedir is the folder in which the program keeps what it has learned
// for its next runs, as the XDG Base Directory Specification has it:
// $XDG_STATE_HOME/kouzui or ~/.local/state/kouzui; on Windows
// %LocalAppData%\kouzui. Nothing there is needed: what is lost is learned
// again.
package statedir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"kouzui/actors/world/real"
)

// Path is that of a file in the folder.
func Path(name ...string) (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(base) { // such a value is to be ignored
		var err error
		if base, err = usual(); err != nil {
			return "", err
		}
	}
	return filepath.Join(append([]string{base, "kouzui"}, name...)...), nil
}

func usual() (string, error) {
	if runtime.GOOS == "windows" {
		return os.UserCacheDir()
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "state"), nil
}

// Lock takes the lock at path, which is a file of the folder, for this process
// alone. Folders that are missing are made. The error is world.ErrLocked if
// another process has the lock.
func Lock(path string) (unlock func(), err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	folder, err := real.OpenExisting(dir)
	if err != nil {
		return nil, err
	}
	release, err := folder.Lock(filepath.Base(path))
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return func() {
		release()
		_ = folder.Close()
	}, nil
}

// Write writes a file of the folder as a whole: who reads it meanwhile, or
// after a crash, finds the old content or the new. Folders that are missing are
// made; what is written is for the user alone.
func Write(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
