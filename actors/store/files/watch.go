package files

import (
	"errors"
	"fmt"
	"sync"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// ErrChanged: a file is not what it was when its content was last known.
var ErrChanged = errors.New("was changed by another program")

// MaxDoubts is how often in a row files may look changed and not be. After that
// the file system's times are taken to move by themselves, as those of some
// network file systems do, and only identity and size of a file are compared.
const MaxDoubts = 3

// watch notices changes of files that are not ours. For each file it keeps the
// stamp that the file had when its content was last known to be right. Nothing
// is served of a file whose stamp is another one now, and the journal does not
// vouch for it. So no wrong block is sent, at the cost of one fstat for each
// read and two for each piece that is written.
//
// A watch sees what the file system's change time shows. It cannot see a change
// made while a write of ours is under way, nor one made through a memory
// mapping until the system dates it, which tmpfs never does. And sendfile hands
// pages of the file to the socket, as a write of mapped memory takes what the
// file has by then: bytes that are changed in place before are sent as changed.
type watch struct {
	torrent *metainfo.Torrent
	files   []sight
	loosely bool                    // compare identity and size only, see MaxDoubts
	doubted func(file int, e error) // called once for each file
}

// sight is what a watch knows of one file.
type sight struct {
	mu      sync.Mutex
	stamp   messages.Stamp
	writes  int  // of ours, under way; stamp means nothing while there are any
	doubted bool // the file was changed by another program
}

// same tells whether two stamps mean the same file with the same content.
func (w *watch) same(a, b messages.Stamp) bool {
	if w.loosely {
		return a.ID == b.ID && a.Size == b.Size
	}
	return a == b
}

// doubt records that another process has changed a file. The lock of its sight
// is held.
func (w *watch) doubt(index int, err error) error {
	if s := &w.files[index]; !s.doubted {
		s.doubted = true
		w.doubted(index, err)
	}
	return err
}

func (w *watch) changed(index int) error {
	return fmt.Errorf("%s %w", NameIn(w.torrent, w.torrent.Name, index), ErrChanged)
}

// stamper tells how a file looks: an open file, or named.
type stamper interface {
	Stamp() (messages.Stamp, error)
}

// compare returns an error if a file does not look as it should. The lock of
// its sight is held.
func (w *watch) compare(index int, f stamper) error {
	s := &w.files[index]
	if s.doubted {
		return w.changed(index)
	}
	if s.writes > 0 {
		return nil
	}
	now, err := f.Stamp()
	if err != nil {
		return err
	}
	if !w.same(now, s.stamp) {
		return w.doubt(index, w.changed(index))
	}
	return nil
}

// look is called after a file was read. It returns an error if what was read
// may not be what was known.
func (w *watch) look(index int, f stamper) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.compare(index, f)
}

// begin is called before a write of ours. If it returns nil, end has to follow.
func (w *watch) begin(index int, f stamper) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := w.compare(index, f); err != nil {
		return err
	}
	s.writes++
	return nil
}

// end is called after a write of ours.
func (w *watch) end(index int, f stamper) {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes--; s.writes > 0 {
		return
	}
	now, err := f.Stamp()
	if err != nil {
		_ = w.doubt(index, err)
		return
	}
	s.stamp = now
}

// created is called after we have created a file.
func (w *watch) created(index int, f stamper) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := f.Stamp()
	if err != nil {
		return err
	}
	if s.stamp != Absent || now.Size > 0 {
		return w.doubt(index, w.changed(index))
	}
	s.stamp = now
	return nil
}

// failed is called when verified data could not be read.
func (w *watch) failed(index int, err error) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.doubt(index, err)
}

// renaming calls rename, which gives a file another name, or another mode, and
// so changes nothing but its time of change. f tells how the file looks under
// its name, whichever that is.
func (w *watch) renaming(index int, f stamper, rename func() error) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := w.compare(index, f); err != nil {
		return err
	}
	if err := rename(); err != nil {
		return err
	}
	now, err := f.Stamp()
	was := s.stamp
	was.Changed = now.Changed
	if err != nil || !w.same(was, now) {
		return w.doubt(index, w.changed(index))
	}
	s.stamp = now
	return nil
}

// removing calls remove, which removes a file.
func (w *watch) removing(index int, f stamper, remove func() error) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := w.compare(index, f); err != nil {
		return err
	}
	if err := remove(); err != nil {
		return err
	}
	s.stamp = Absent
	return nil
}

// stamps are those of all files.
func (w *watch) stamps() []messages.Stamp {
	all := make([]messages.Stamp, len(w.files))
	for i := range w.files {
		all[i] = w.stamp(i)
	}
	return all
}

func (w *watch) stamp(index int) messages.Stamp {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stamp
}
