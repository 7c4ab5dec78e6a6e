package fake

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"kouzui/actors/world"
)

// find returns the node of name, or fs.ErrNotExist. mu is held in this and all
// following methods.
func (f *folder) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := f.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.isDir() {
			return nil, &fs.PathError{Op: op, Path: name, Err: world.ErrNotFolder}
		}
		if n = n.kids[part]; n == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// parent returns the folder that holds, or would hold, the last part of name.
func (f *folder) parent(op, name string) (*node, string, error) {
	if name == "." || !fs.ValidPath(name) {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	dir, err := f.find(op, path.Dir(name))
	if err != nil {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: errors.Unwrap(err)}
	}
	if !dir.isDir() {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: world.ErrNotFolder}
	}
	return dir, path.Base(name), nil
}

func (f *folder) Stat(name string) (world.Info, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("stat", name)
	if err != nil {
		return world.Info{}, err
	}
	return n.info(), nil
}

func (f *folder) ReadDir(name string) ([]string, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("read folder", name)
	if err != nil {
		return nil, err
	}
	if !n.isDir() {
		return nil, &fs.PathError{Op: "read folder", Path: name, Err: world.ErrNotFolder}
	}
	names := make([]string, 0, len(n.kids))
	for name := range n.kids {
		names = append(names, name)
	}
	return names, nil
}

func (f *folder) MkdirAll(name string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrInvalid}
	}
	if err := f.disk.failing(OpMkdir, name); err != nil || name == "." {
		return err
	}
	n := f.root
	for part := range strings.SplitSeq(name, "/") {
		kid := n.kids[part]
		if kid == nil {
			kid = f.disk.newNode(true)
			n.kids[part] = kid
		}
		if !kid.isDir() {
			return &fs.PathError{Op: "mkdir", Path: name, Err: world.ErrNotFolder}
		}
		n = kid
	}
	return nil
}

func (f *folder) Open(name string, write bool) (world.File, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("open", name)
	if err == nil {
		err = f.disk.failing(OpOpen, name)
	}
	if err != nil {
		return nil, err
	}
	return f.open(n, name, write)
}

func (f *folder) Create(name string) (world.File, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	dir, base, err := f.parent("create", name)
	if err == nil {
		err = f.disk.failing(OpOpen, name)
	}
	if err != nil {
		return nil, err
	}
	n := dir.kids[base]
	if n == nil {
		n = f.disk.newNode(false)
		dir.kids[base] = n
	}
	return f.open(n, name, true)
}

func (f *folder) open(n *node, name string, write bool) (world.File, error) {
	if !n.isRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: world.ErrNotRegular}
	}
	return &file{disk: f.disk, node: n, name: name, write: write}, nil
}

func (f *folder) Rename(from, to string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	source, oldBase, err := f.parent("rename", from)
	if err != nil {
		return err
	}
	target, newBase, err := f.parent("rename", to)
	if err == nil {
		err = f.disk.failing(OpRename, from)
	}
	if err != nil {
		return err
	}
	if source.kids[oldBase] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	if target.kids[newBase] != nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	if strings.HasPrefix(to, from+"/") {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrInvalid}
	}
	moved := source.kids[oldBase]
	target.kids[newBase] = moved
	delete(source.kids, oldBase)
	f.disk.changes++
	moved.changed = f.disk.changes
	return nil
}

func (f *folder) Symlink(target, name string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	dir, base, err := f.parent("link", name)
	if err != nil {
		return err
	}
	if dir.kids[base] != nil {
		return &fs.PathError{Op: "link", Path: name, Err: fs.ErrExist}
	}
	n := f.disk.newNode(false)
	n.link = target
	n.sync()
	dir.kids[base] = n
	return nil
}

func (f *folder) SetExecutable(name string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("chmod", name)
	if err != nil {
		return err
	}
	if !n.isRegular() {
		return &fs.PathError{Op: "chmod", Path: name, Err: world.ErrNotRegular}
	}
	f.disk.changes++
	n.executable, n.changed = true, f.disk.changes
	return nil
}

func (f *folder) Remove(name string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	dir, base, err := f.parent("remove", name)
	if err != nil {
		return err
	}
	n := dir.kids[base]
	if n == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if len(n.kids) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: errNotEmpty}
	}
	f.disk.drop(n)
	delete(dir.kids, base)
	return nil
}

func (f *folder) RemoveAll(name string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	dir, base, err := f.parent("remove", name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if n := dir.kids[base]; n != nil {
		f.disk.drop(n)
		delete(dir.kids, base)
	}
	return nil
}

func (f *folder) ReadFile(name string, limit int64) ([]byte, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("read", name)
	if err == nil {
		err = f.disk.failing(OpRead, name)
	}
	if err != nil {
		return nil, err
	}
	if !n.isRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: world.ErrNotRegular}
	}
	if n.size > limit {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("longer than %d bytes", limit)}
	}
	data := make([]byte, n.size)
	n.readAt(data, 0)
	return data, nil
}

func (f *folder) WriteFile(name string, data []byte) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	dir, base, err := f.parent("write", name)
	if err == nil {
		err = f.disk.failing(OpWrite, name)
	}
	if err != nil {
		return err
	}
	old := dir.kids[base]
	if old != nil && old.isDir() {
		return &fs.PathError{Op: "write", Path: name, Err: world.ErrNotRegular}
	}
	n := f.disk.newNode(false)
	if err := f.disk.writeAt(n, data, 0); err != nil {
		f.disk.drop(n)
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	if old != nil {
		f.disk.drop(old)
	}
	n.sync()
	dir.kids[base] = n
	dir.synced.kids[base] = n
	return nil
}

func (f *folder) Sync(dir string) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n, err := f.find("sync", dir)
	if err == nil {
		err = f.disk.failing(OpSync, dir)
	}
	if err == nil {
		n.sync()
	}
	return err
}

func (f *folder) Lock(name string) (func(), error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if _, _, err := f.parent("lock", name); err != nil {
		return nil, err
	}
	held := f.disk.locks[f.root]
	if held == nil {
		held = map[string]bool{}
		f.disk.locks[f.root] = held
	}
	if held[name] {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: world.ErrLocked}
	}
	held[name] = true
	var release once
	return func() {
		if release.take() {
			f.disk.mu.Lock()
			defer f.disk.mu.Unlock()
			delete(held, name)
		}
	}, nil
}

func (f *folder) Free() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.capacity < 0 {
		return 1 << 50, nil
	}
	return max(f.disk.capacity-f.disk.used, 0), nil
}

func (f *folder) Close() error { return nil }
