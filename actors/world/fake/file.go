package fake

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"sync/atomic"
	"time"

	"kouzui/actors/world"
	"kouzui/actors/world/fake/described"
	"kouzui/messages"
	"kouzui/wire/buffer"
)

var errNotEmpty = errors.New("the folder is not empty")

// node is a file or a folder. It is guarded by the mu of the disk.
type node struct {
	state
	bytes  pages[*[pageSize]byte]
	blocks pages[described.What] // the pages written in described blocks
	id     uint64
	gone   bool  // removed: its pages no longer count
	synced state // its state after a power cut, without the pages
}

// state is what can change of a node, besides its pages.
type state struct {
	kids     map[string]*node // nil: a file
	size     int64
	modified time.Time
	changed  int64 // counts all changes of the disk

	link       string // what a symbolic link leads to; nothing follows it
	executable bool
}

func (d *Disk) newNode(dir bool) *node {
	d.nodes++
	n := &node{id: d.nodes}
	if dir {
		n.kids = map[string]*node{}
	}
	d.touch(n)
	n.sync()
	return n
}

// touch gives n the date of now, and counts a change.
func (d *Disk) touch(n *node) {
	d.changes++
	n.modified, n.changed = d.clock.Now(), d.changes
}

// sync makes the present state of n the one that a power cut leaves.
func (n *node) sync() {
	n.synced = n.state
	n.synced.kids = maps.Clone(n.kids)
	n.bytes.sync()
	n.blocks.sync()
}

func (n *node) allocated() int64 { return int64(n.bytes.count+n.blocks.count) * pageSize }

func (n *node) isDir() bool { return n.kids != nil }

func (n *node) isRegular() bool { return !n.isDir() && n.link == "" }

func (n *node) info() world.Info {
	i := world.Info{Stamp: n.stamp(), Mode: 0o644, Allocated: n.allocated()}
	switch {
	case n.isDir():
		i.Mode = fs.ModeDir | 0o755
	case n.link != "":
		i.Mode = fs.ModeSymlink | 0o777
	case n.executable:
		i.Mode = 0o755
	}
	return i
}

func (n *node) stamp() messages.Stamp {
	return messages.Stamp{ID: n.id, Size: n.size, Modified: n.modified.UnixNano(), Changed: n.changed}
}

// drop frees the room of n and of all below.
func (d *Disk) drop(n *node) {
	for _, kid := range n.kids {
		d.drop(kid)
	}
	if !n.gone {
		d.used -= n.allocated()
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
		if page := n.bytes.get(at / pageSize); page != nil {
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
		at := off / pageSize
		page, fresh := n.bytes.fresh[at/perSheet].find(at)
		if !fresh {
			page = new([pageSize]byte)
			if old := n.bytes.saved(at); old != nil {
				*page = *old
			} else if err := d.allot(n, &n.bytes.count); err != nil {
				return err
			}
			n.bytes.set(at, page)
		}
		k := copy(page[off%pageSize:], b)
		b, off = b[k:], off+int64(k)
		n.size = max(n.size, off)
	}
	return nil
}

// allot takes room for one more page of n.
func (d *Disk) allot(n *node, count *int) error {
	if d.capacity >= 0 && d.used+pageSize > d.capacity {
		return world.ErrFull
	}
	*count++
	if !n.gone {
		d.used += pageSize
	}
	return nil
}

// readBlock and writeBlock are readAt and writeAt for described blocks, which
// begin where a page does.
func (n *node) readBlock(b []byte, off int64) int {
	if int64(len(b)) > n.size-off {
		return int(max(0, n.size-off))
	}
	var room [maxPages]described.What
	pages := room[:(len(b)+pageSize-1)/pageSize]
	n.blocks.copy(pages, off/pageSize)
	for i, p := range pages {
		if p == 0 {
			pages[i] = described.Zeros
		}
	}
	described.Put(b, described.Whole(pages))
	return len(b)
}

const maxPages = buffer.Size / pageSize

func (d *Disk) writeBlock(n *node, b []byte, off int64) error {
	d.touch(n)
	what := described.Get(b)
	for i := 0; i*pageSize < len(b); i++ {
		at := off/pageSize + int64(i)
		if n.blocks.get(at) == 0 {
			if err := d.allot(n, &n.blocks.count); err != nil {
				return err
			}
		}
		n.blocks.set(at, what.Page(i))
		n.size = max(n.size, min((at+1)*pageSize, off+int64(len(b))))
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
	read := f.node.readAt
	if f.disk.outlined {
		read = f.node.readBlock
	}
	for _, b := range bufs {
		if read(b, off) < len(b) {
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
	write := f.disk.writeAt
	if f.disk.outlined {
		write = f.disk.writeBlock
	}
	for _, b := range bufs {
		if err := write(f.node, b, off); err != nil {
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
