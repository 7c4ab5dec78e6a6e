package fake

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"sync/atomic"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

var (
	errNotDir   = errors.New("not a folder")
	errNotEmpty = errors.New("the folder is not empty")
)

const pageSize = 4 << 10

// node is a file or a folder. The disk's mu guards it.
type node struct {
	state
	id     uint64
	gone   bool  // removed: its pages count no more
	synced state // what is left of it after a power cut
}

// state is all of a node that changes.
type state struct {
	kids     map[string]*node // nil: a file
	size     int64
	pages    map[int64]*[pageSize]byte // by offset/pageSize; what is missing is a hole
	modified time.Time
	changed  int64 // counts all changes of the disk
}

func (d *Disk) newNode(dir bool) *node {
	d.nodes++
	n := &node{id: d.nodes}
	if dir {
		n.kids = map[string]*node{}
	} else {
		n.pages = map[int64]*[pageSize]byte{}
	}
	d.touch(n)
	n.sync()
	return n
}

// touch dates a change of n.
func (d *Disk) touch(n *node) {
	d.changes++
	n.modified, n.changed = d.clock.Now(), d.changes
}

// sync makes n last as it is. Pages are shared until they are written to.
func (n *node) sync() {
	n.synced = n.state
	n.synced.kids, n.synced.pages = maps.Clone(n.kids), maps.Clone(n.pages)
}

func (n *node) isDir() bool { return n.kids != nil }

func (n *node) info() world.Info {
	i := world.Info{Stamp: n.stamp(), Mode: 0o644, Allocated: int64(len(n.pages)) * pageSize}
	if n.isDir() {
		i.Mode = fs.ModeDir | 0o755
	}
	return i
}

func (n *node) stamp() messages.Stamp {
	return messages.Stamp{ID: n.id, Size: n.size, Modified: n.modified.UnixNano(), Changed: n.changed}
}

// drop gives the room of n and of all below back.
func (d *Disk) drop(n *node) {
	for _, kid := range n.kids {
		d.drop(kid)
	}
	if !n.gone {
		d.used -= int64(len(n.pages)) * pageSize
		n.gone = true
	}
}

// readAt fills b from off on and returns how much of it the file had.
func (n *node) readAt(b []byte, off int64) int {
	b = b[:max(0, min(int64(len(b)), n.size-off))]
	for done := 0; done < len(b); {
		at := off + int64(done)
		part := b[done:]
		part = part[:min(len(part), int(pageSize-at%pageSize))]
		if page := n.pages[at/pageSize]; page != nil {
			copy(part, page[at%pageSize:])
		} else {
			clear(part)
		}
		done += len(part)
	}
	return len(b)
}

func (d *Disk) writeAt(n *node, b []byte, off int64) error {
	d.touch(n)
	for len(b) > 0 {
		page := n.pages[off/pageSize]
		if page == nil {
			if d.capacity >= 0 && d.used+pageSize > d.capacity {
				return world.ErrFull
			}
			page = new([pageSize]byte)
			n.pages[off/pageSize] = page
			if !n.gone {
				d.used += pageSize
			}
		} else if n.synced.pages[off/pageSize] == page {
			own := *page
			page = &own
			n.pages[off/pageSize] = page
		}
		k := copy(page[off%pageSize:], b)
		b, off = b[k:], off+int64(k)
		n.size = max(n.size, off)
	}
	return nil
}

type file struct {
	disk   *Disk
	node   *node
	name   string
	write  bool
	closed atomic.Bool
}

// begin locks the disk and checks that op may go on.
func (f *file) begin(op Op) (unlock func(), err error) {
	f.disk.mu.Lock()
	switch {
	case f.closed.Load():
		err = fs.ErrClosed
	case (op == OpWrite || op == OpExtend) && !f.write:
		err = fs.ErrPermission
	default:
		return f.disk.mu.Unlock, f.disk.failing(op, f.name)
	}
	return f.disk.mu.Unlock, f.fail(op, err)
}

func (f *file) fail(op Op, err error) error {
	return &fs.PathError{Op: string(op), Path: f.name, Err: err}
}

func (f *file) ReadBlocks(bufs [][]byte, off int64, done func(error)) { done(f.read(bufs, off)) }

func (f *file) read(bufs [][]byte, off int64) error {
	unlock, err := f.begin(OpRead)
	defer unlock()
	if err != nil {
		return err
	}
	for _, b := range bufs {
		if f.node.readAt(b, off) < len(b) {
			return f.fail(OpRead, io.ErrUnexpectedEOF)
		}
		off += int64(len(b))
	}
	return nil
}

func (f *file) WriteBlocks(bufs [][]byte, off int64, done func(error)) { done(f.writeAll(bufs, off)) }

func (f *file) writeAll(bufs [][]byte, off int64) error {
	unlock, err := f.begin(OpWrite)
	defer unlock()
	if err != nil {
		return err
	}
	for _, b := range bufs {
		if err := f.disk.writeAt(f.node, b, off); err != nil {
			return f.fail(OpWrite, err)
		}
		off += int64(len(b))
	}
	return nil
}

func (f *file) Sync(done func(error)) {
	unlock, err := f.begin(OpSync)
	if err == nil {
		f.node.sync()
	}
	unlock()
	done(err)
}

func (f *file) Extend(size int64) error {
	unlock, err := f.begin(OpExtend)
	defer unlock()
	if err == nil && size > f.node.size {
		f.node.size = size
		f.disk.touch(f.node)
	}
	return err
}

func (f *file) Stat() (world.Info, error) {
	unlock, err := f.begin("stat")
	defer unlock()
	return f.node.info(), err
}

func (f *file) Stamp() (messages.Stamp, error) {
	info, err := f.Stat()
	return info.Stamp, err
}

func (f *file) Close() error {
	if f.closed.Swap(true) {
		return f.fail("close", fs.ErrClosed)
	}
	return nil
}
