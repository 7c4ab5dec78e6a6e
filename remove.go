package kouzui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kouzui/actors/world"
	"kouzui/messages"
)

// Remove stops the torrent. If data is set, it also deletes the torrent's
// files, the folders that are empty after that, and the journal. Other files
// stay. A file that the torrent refused to take over, because it was not the
// torrent's, stays as well. Where both the torrent's name and that of its
// partial data are taken, and it cannot be known which is the torrent's, all
// stays, and that is an fs.ErrExist. If data is not set, nothing on disk is
// changed.
func (t *Torrent) Remove(ctx context.Context, data bool) error {
	if !t.valid() {
		return ErrEnded
	}
	if err := t.Stop(ctx); err != nil || !data {
		return err
	}
	t.client.mu.Lock()
	name, m, stored, again := t.name, t.metainfo, t.stored, t.client.torrents[t.hash] != nil
	complete := closed(t.completed)
	t.client.mu.Unlock()
	switch {
	case again:
		return fmt.Errorf("%s: %w", name, ErrAdded)
	case m == nil || !stored:
		return nil
	}
	// The last event of a torrent comes before its actors have closed its files.
	_, err := askUntil(ctx, t.client, t.client.done, func(reply func(struct{})) any {
		return &messages.QueryStopped{InfoHash: t.hash, Reply: reply}
	})
	if err != nil && !errors.Is(err, ErrEnded) {
		return err
	}
	folder, err := t.client.config.World.Disk.OpenFolder(t.dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return remove(folder, m, complete)
}

// remove deletes the data of a torrent, unless another client works on it.
func remove(folder world.Folder, m *Metainfo, complete bool) error {
	unlock, err := folder.Lock(m.LockName())
	if err != nil {
		return err
	}
	defer unlock() // which also removes the file of the lock
	if world.Folds(folder, m.LockName(), m.Name, m.PartName()) {
		m = m.Folded()
	}
	base, err := whereData(folder, m, complete)
	if err != nil {
		return err
	}
	return errors.Join(removeFiles(folder, m, base), removeFile(folder, m.JournalName(), -1))
}

// whereData is the name of the torrent's data. Complete data has its final
// name. Other data has that only if it was found there, and then its journal
// lies beside it since it was checked. Where both names are taken by data that
// is not complete, nobody can tell them apart: that is an fs.ErrExist.
func whereData(folder world.Folder, m *Metainfo, complete bool) (string, error) {
	taken := func(name string) bool {
		_, err := folder.Stat(name)
		return !errors.Is(err, fs.ErrNotExist)
	}
	final := taken(m.Name)
	switch {
	case final && complete:
		return m.Name, nil
	case final && taken(m.PartName()):
		return "", fmt.Errorf("%s and %s: one of them is not the torrent's: %w", m.Name, m.PartName(), fs.ErrExist)
	case final && taken(m.JournalName()):
		return m.Name, nil
	}
	return m.PartName(), nil
}

// removeFiles deletes the files that lie at base, and the folders that held
// nothing else.
func removeFiles(folder world.Folder, m *Metainfo, base string) (err error) {
	if m.Single {
		return removeFile(folder, base, m.Length)
	}
	dirs := map[string]bool{base: true}
	for _, f := range m.Files {
		if f.Padding {
			continue
		}
		name := base + "/" + strings.Join(f.Path, "/")
		for dir := path.Dir(name); dir != base; dir = path.Dir(dir) {
			dirs[dir] = true
		}
		if f.Link != "" {
			if info, missing := folder.Stat(name); missing == nil && info.Mode&fs.ModeSymlink != 0 {
				err = errors.Join(err, folder.Remove(name))
			}
			continue
		}
		err = errors.Join(err, removeFile(folder, name, f.Length))
	}
	deepest := make([]string, 0, len(dirs))
	for dir := range dirs {
		deepest = append(deepest, dir)
	}
	slices.SortFunc(deepest, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, dir := range deepest {
		if info, missing := folder.Stat(dir); missing == nil && info.Mode.IsDir() {
			_ = folder.Remove(dir) // which fails while there is something in it
		}
	}
	return err
}

// removeFile deletes a regular file of at most so many bytes, negative: of any
// size. What is no file, or longer than the torrent's, is not the torrent's.
func removeFile(folder world.Folder, name string, most int64) error {
	info, err := folder.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, world.ErrNotFolder):
		return nil
	case err != nil:
		return err
	case !info.Mode.IsRegular() || most >= 0 && info.Size > most:
		return nil
	}
	return folder.Remove(name)
}
