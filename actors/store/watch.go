package store

import (
	"errors"
	"fmt"
	"sync"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// errChanged: a file is not what it was when the store last knew what is in it.
var errChanged = errors.New("was changed by another program")

// maxDoubts is how often in a row a doubt may turn out unfounded. After that the
// file system's times are taken to move by themselves, as those of some network
// file systems do, and only identity and size of a file are compared.
const maxDoubts = 3

// watch knows of each file how it looked when what is known of its content was
// last true. Nothing is served of a file that looks different afterwards, and
// nothing is vouched for. So no wrong block goes out, at the cost of one fstat
// for each read, and of two for each piece that is written.
//
// It sees what a file system's change time shows. It cannot see a change within
// the moment in which a write of ours is under way, nor one through a mapping of
// the file into memory until the system notes it, which tmpfs never does. And of
// what sendfile has put into a socket the system takes the bytes when it sends
// them: what is changed in place between the two goes out as it is then.
type watch struct {
	torrent *metainfo.Torrent
	files   []sight
	loosely bool                    // see maxDoubts
	doubted func(file int, e error) // called once a file, by whoever finds out
}

// sight is one file's.
type sight struct {
	mu      sync.Mutex
	stamp   messages.Stamp
	writes  int // of ours, under way: stamp does not tell anything meanwhile
	doubted bool
}

// same compares what w goes by.
func (w *watch) same(a, b messages.Stamp) bool {
	if w.loosely {
		return a.ID == b.ID && a.Size == b.Size
	}
	return a == b
}

// doubt says that the file is not to be relied on. The lock of its sight is held.
func (w *watch) doubt(index int, err error) error {
	if s := &w.files[index]; !s.doubted {
		s.doubted = true
		w.doubted(index, err)
	}
	return err
}

func (w *watch) changed(index int) error {
	return fmt.Errorf("%s %w", nameIn(w.torrent, w.torrent.Name, index), errChanged)
}

// stamper is what tells how a file looks: open, or by its name.
type stamper interface {
	Stamp() (messages.Stamp, error)
}

// compare is what both look and begin do.
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

// look tells whether what was read of the file until now is what was known.
func (w *watch) look(index int, f stamper) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.compare(index, f)
}

// begin is called before a change of our own. If it succeeds, end follows.
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

// end is called after a change of our own.
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

// created is called when a file has come into being that was not there.
func (w *watch) created(index int, f stamper) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := f.Stamp()
	if err != nil {
		return err
	}
	if s.stamp != absent || now.Size > 0 {
		return w.doubt(index, w.changed(index))
	}
	s.stamp = now
	return nil
}

// failed is called when known data could not be read, or a known file not be
// opened.
func (w *watch) failed(index int, err error) error {
	s := &w.files[index]
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.doubt(index, err)
}

// renaming has the store give the file another name, which changes nothing but
// the time of change. f tells how it looks under the new one.
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

// stamps are those of all files, for the journal and for a store after this one.
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
