package store

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// chore is what the keeper does for the store. It travels there and back;
// whoever has it owns it.
type chore struct {
	owner *store
	task  choreTask
	lost  int  // times that the keeper died with it
	probe bool // the try that tells whether the disk works again
	err   error

	found *found // answer to choreLook
	free  int64  // bytes; -1 unknown

	// choreSave and choreFinish: what has to last, and then the journal that
	// vouches for it. stamps are updated for the dirty files.
	stamps   []messages.Stamp
	verified *bitset.BitSet
	dirty    []int
	doubtful []int // to be synced too, though nobody here has written to them
	empty    []int // files of no length to be made, by choreFinish

	open bool // answer to choreRest: files are
}

type choreTask uint8

const (
	choreLook   choreTask = iota // open, lock, see what is there
	choreSave                    // sync, write the journal
	choreFinish                  // the same, and give the data its final name
	choreRest                    // close files that are not used
)

func (*chore) IgnoreDeadLetterLogging() {}

// keeper does for the store whatever may block and has to do with the data as a
// whole, so that neither its mailbox nor a hash worker waits for a disk's sync.
type keeper struct {
	owner *store
	disk  world.Disk
	dir   string
	alone bool // look needs the lock
	files *files

	torrent *metainfo.Torrent
	gate    *gate
	chore   *chore
	at      int       // the next to be synced, of dirty and then doubtful
	held    []*handle // of the files that are being synced
}

func (k *keeper) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		k.gate = newGate(c)
		c.Send(c.Parent(), &workerReady{k.owner, keeperIndex, c.Self(), k.gate})
	case *handed:
		if m.gate == k.gate {
			k.begin(c, m.chore)
		}
	case *moved:
		if m.gate == k.gate {
			k.sync(c)
		}
	case *actor.Restarting, *actor.Stopping:
		k.letGo()
	}
}

func (k *keeper) begin(c actor.Context, m *chore) {
	k.chore, k.at, m.err = m, 0, nil
	k.gate.err = nil
	switch m.task {
	case choreLook:
		k.answer(c, k.look())
		return
	case choreRest:
		m.open = k.files.rest()
		k.answer(c, nil)
		return
	}
	if err := k.prepare(); err != nil {
		k.answer(c, err)
		return
	}
	k.sync(c)
}

func (k *keeper) answer(c actor.Context, err error) {
	m := k.chore
	k.chore, m.err = nil, err
	c.Send(c.Parent(), m)
}

func (k *keeper) look() error {
	folder, err := k.disk.OpenFolder(k.dir)
	if err != nil {
		return err
	}
	unlock, err := folder.Lock(k.torrent.LockName())
	if err != nil && !k.alone && !errors.Is(err, world.ErrLocked) {
		unlock, err = func() {}, nil // to seed from where nothing can be written
	}
	if err != nil {
		folder.Close()
		return err
	}
	if world.Folds(folder, k.torrent.LockName(), k.torrent.Name, k.torrent.PartName()) {
		k.torrent = k.torrent.Folded()
	}
	found, err := look(folder, k.torrent)
	if err != nil {
		unlock()
		folder.Close()
		return err
	}
	if err := k.files.attach(folder, unlock, k.torrent, found.base, found.stamps); err != nil {
		return err
	}
	k.chore.found, k.chore.free = found, -1
	if free, err := folder.Free(); err == nil {
		k.chore.free = free
	}
	return nil
}

// prepare looks at the dirty files before they are synced: one that is written
// to from here on will look different from what the journal says, and be
// checked, should the journal be the last.
func (k *keeper) prepare() error {
	for _, i := range k.chore.empty {
		h, _, err := k.files.acquire(i, toWrite)
		if err != nil {
			return err
		}
		k.files.release(h)
	}
	for _, i := range append(k.chore.dirty, k.chore.empty...) {
		stamp, err := k.files.stamp(i)
		if err != nil {
			return err
		}
		k.chore.stamps[i] = stamp
	}
	return nil
}

// syncsTogether is how many files are synced at a time: what a disk has to write
// for one of them, such as a file system's journal, then serves them all.
const syncsTogether = 16

// sync makes the dirty files last and the doubtful ones, then the rest.
func (k *keeper) sync(c actor.Context) {
	files := slices.Concat(k.chore.dirty, k.chore.doubtful)
	for k.gate.err == nil && k.at < len(files) {
		k.letGo()
		k.gate.shut()
		for _, i := range files[k.at:min(k.at+syncsTogether, len(files))] {
			done := k.gate.expect()
			to := toWrite
			if k.at >= len(k.chore.dirty) {
				to, done = toReread, unlessRefused(done)
			}
			h, file, err := k.files.acquire(i, to)
			if err != nil {
				done(err)
				break
			}
			k.at++
			k.held = append(k.held, h)
			file.Sync(done)
		}
		if !k.gate.passed() {
			return
		}
	}
	k.letGo()
	err := k.gate.err
	if err == nil {
		err = k.settle()
	}
	k.answer(c, err)
}

// unlessRefused lets it pass that some systems sync no file that is open for
// reading only.
func unlessRefused(done func(error)) func(error) {
	return func(err error) {
		if errors.Is(err, fs.ErrPermission) {
			err = nil
		}
		done(err)
	}
}

func (k *keeper) letGo() {
	for _, h := range k.held {
		k.files.release(h)
	}
	k.held = k.held[:0]
}

// settle: the data lasts; now its names, and what says that it does.
func (k *keeper) settle() error {
	if err := k.files.syncNames(); err != nil {
		return err
	}
	if k.chore.task == choreFinish && k.files.at() != k.torrent.Name {
		err := k.files.relocate(k.torrent.Name)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", k.torrent.Name, ErrForeign)
		}
		if err != nil {
			return err
		}
		if err := k.files.syncNames(); err != nil {
			return err
		}
		if k.torrent.Single {
			k.chore.stamps[0] = k.files.watch.stamp(0) // with the time of the renaming
		}
	}
	raw := journal{k.chore.stamps, k.chore.verified}.encode(k.torrent)
	err := k.files.folder.WriteFile(k.torrent.JournalName(), raw)
	if k.chore.task == choreFinish {
		return nil // the data is safe; without a journal it will be checked
	}
	return err
}
