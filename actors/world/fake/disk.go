package fake

import (
	"io/fs"
	"path"
	"sync"

	"kouzui/actors/world"
)

// Op is a kind of disk operation that can be made to fail.
type Op string

// The operations that Fail knows.
const (
	OpOpen   Op = "open" // Open and Create
	OpMkdir  Op = "mkdir"
	OpRename Op = "rename"
	OpRead   Op = "read"  // ReadBlocks and ReadFile
	OpWrite  Op = "write" // WriteBlocks and WriteFile
	OpExtend Op = "extend"
	OpSync   Op = "sync" // of files and of folders
)

// Disk is a disk in memory. Its content stays when folders and files are closed
// and opened again. Files are sparse: only pages that were written take memory
// and count. It is safe for concurrent use.
type Disk struct {
	clock world.Clock

	mu       sync.Mutex
	folders  map[string]*node // by the path given to OpenFolder
	locks    map[*node]map[string]bool
	capacity int64 // bytes; negative: no bound
	used     int64
	nodes    uint64 // made so far
	changes  int64  // made so far
	outlined bool   // blocks are described ones
	failures map[Op]*failure
}

type failure struct {
	times int
	err   error
}

// NewDisk returns an empty disk without a limit. The clock gives the dates of
// files.
func NewDisk(clock world.Clock) *Disk {
	return &Disk{
		clock:    clock,
		folders:  map[string]*node{},
		locks:    map[*node]map[string]bool{},
		capacity: -1,
		failures: map[Op]*failure{},
	}
}

// Describe makes the files take described blocks, see package described. Files
// that are written by WriteFile are held as they are.
func (d *Disk) Describe() { d.outlined = true }

// SetCapacity limits what the disk holds, in bytes; writes beyond fail with
// world.ErrFull. A negative number removes the limit.
func (d *Disk) SetCapacity(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = n
}

// Fail makes the next operations of a kind, as many as times says, fail with
// err, such as syscall.EIO.
func (d *Disk) Fail(op Op, times int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures[op] = &failure{times, err}
}

// failing is the error with which op must fail, or nil. mu is held.
func (d *Disk) failing(op Op, name string) error {
	f := d.failures[op]
	if f == nil || f.times == 0 {
		return nil
	}
	f.times--
	return &fs.PathError{Op: string(op), Path: name, Err: f.err}
}

// OpenFolder implements world.Disk. Every dir is a folder of its own, also when
// one path lies inside another.
func (d *Disk) OpenFolder(dir string) (world.Folder, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir = path.Clean(dir)
	root := d.folders[dir]
	if root == nil {
		root = d.newNode(true)
		d.folders[dir] = root
	}
	return &folder{disk: d, root: root}, nil
}

type folder struct {
	disk *Disk
	root *node
}
