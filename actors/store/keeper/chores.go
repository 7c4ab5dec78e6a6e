package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/actors/store/resume"
	"kouzui/actors/world"
	"kouzui/messages"
)

// syncsTogether is how many files are synced at a time: what a disk has to
// write for one of them, such as the file system's own journal, then serves
// them all.
const syncsTogether = 16

// Task is what a chore is for.
type Task uint8

const (
	Look    Task = iota // open and lock the folder, and see what is in it
	Save                // sync, write the journal
	Finish              // the same; if the data is whole, give it its final name before
	Rest                // close files that are not used
	Arrange             // divert the files that are not wanted, and make those that are again
)

// Chore travels from the store to the keeper and back. The actor that received
// it last owns it.
type Chore struct {
	Task  Task
	Lost  int  // keepers that died with it
	Probe bool // the write that tells whether the disk works again
	Err   error

	Found *resume.Found // answer to Look
	Free  int64         // answer to Look: bytes of the disk, -1 if unknown
	Open  bool          // answer to Rest: some files are open

	// Of Save and Finish: what has to be synced, and the journal that vouches for
	// it then. The keeper updates the stamps of the dirty files.
	Stamps   []messages.Stamp
	Verified *bitset.BitSet
	Dirty    []int // files that we have written to
	Doubtful []int // files that may have been written to before, and not synced
	Whole    bool  // all pieces of the wanted files are verified
	Empty    []int // files of no length that Finish creates, if Whole

	// Of Arrange, beside Verified. It is called while nothing is written.
	Wanted *bitset.BitSet // files; nil: all
	Made   []int          // answer: the files that were written to
}

// IgnoreDeadLetterLogging keeps chores out of the trace.
func (*Chore) IgnoreDeadLetterLogging() {}

// Ready: keeper to store, at the start of each incarnation. Deliver sends to
// this incarnation only, so that it does not do what its predecessor was handed
// and did not read: the store hands an unfinished chore once more.
type Ready struct{ Deliver func(any) }

// chores is the core of a keeper. Its methods return whether the chore is done;
// if not, the keeper waits for the disk.
type chores struct {
	Config
	disk   *files.Barrier
	chore  *Chore
	barred bool // there is no journal: its name is that of a stranger's file
	next   int  // index of the file to be synced next, of Dirty and then Doubtful
	arrangement
}

func (k *chores) begin(m *Chore) (done bool) {
	k.chore, k.next, m.Err = m, 0, nil
	k.disk.Reset()
	switch m.Task {
	case Look:
		m.Err = k.look()
	case Rest:
		m.Open = k.Files.Rest()
	case Arrange:
		return k.arrange()
	default:
		if m.Err = k.prepare(); m.Err == nil {
			return k.sync()
		}
	}
	return true
}

// resume goes on when the disk has answered.
func (k *chores) resume() (done bool) {
	if k.chore.Task == Arrange {
		return k.copy()
	}
	return k.sync()
}

// look opens and locks the folder, and sees what is in it.
func (k *chores) look() error {
	folder, err := k.Disk.OpenFolder(k.Dir)
	if err != nil {
		return err
	}
	unlock, err := folder.Lock(k.Torrent.LockName())
	if err != nil && k.MayBeReadOnly && !errors.Is(err, world.ErrLocked) {
		unlock, err = func() {}, nil // to seed from where nothing can be written
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, world.ErrNotRegular) {
		err = resume.InTheWay(filepath.Join(k.Dir, k.Torrent.LockName()))
	}
	if err != nil {
		folder.Close()
		return err
	}
	if world.Folds(folder, k.Torrent.LockName(), k.Torrent.Name, k.Torrent.PartName()) {
		k.Torrent = k.Torrent.Folded()
	}
	found, err := resume.Look(folder, k.Dir, k.Torrent)
	if err != nil {
		unlock()
		folder.Close()
		return err
	}
	k.barred = k.MayBeReadOnly && found.Barred()
	if !found.Claimed() && !k.barred {
		k.Files.SetClaim(resume.Claim(k.Torrent))
	}
	if err := k.Files.Attach(folder, unlock, k.Torrent, found.Base, found.Layout, found.Stamps); err != nil {
		return err
	}
	k.chore.Found, k.chore.Free = found, -1
	if free, err := folder.Free(); err == nil {
		k.chore.Free = free
	}
	return nil
}

// prepare notes how the dirty files look before they are synced. A file that is
// written to from here on looks different from what the journal will say, and
// is checked should that be the last journal.
func (k *chores) prepare() error {
	for _, i := range k.chore.Empty {
		if err := k.Files.Make(i); err != nil {
			return err
		}
	}
	for _, files := range [][]int{k.chore.Dirty, k.chore.Empty} {
		for _, i := range files {
			stamp, err := k.Files.Stamp(i)
			if err != nil {
				return err
			}
			k.chore.Stamps[i] = stamp
		}
	}
	return nil
}

// sync syncs the dirty files and the doubtful ones, some at a time, and then
// does the rest of the chore.
func (k *chores) sync() (done bool) {
	dirty := len(k.chore.Dirty)
	all := dirty + len(k.chore.Doubtful)
	for k.disk.Err() == nil && k.next < all {
		k.disk.Close()
		for end := min(k.next+syncsTogether, all); k.next < end && k.disk.Err() == nil; k.next++ {
			if k.next < dirty {
				k.Files.Sync(k.chore.Dirty[k.next], files.Write, k.disk.Expect())
			} else {
				k.Files.Sync(k.chore.Doubtful[k.next-dirty], files.Reread, k.disk.Expect())
			}
		}
		if !k.disk.Passed() {
			return false
		}
	}
	if k.chore.Err = k.disk.Err(); k.chore.Err == nil {
		k.chore.Err = k.settle()
	}
	return true
}

// settle makes the names last, gives whole data its final name, and writes the
// journal. All that the journal vouches for is synced before.
func (k *chores) settle() error {
	if k.chore.Whole && !k.MayBeReadOnly {
		changed, err := k.Files.Dress()
		if err != nil {
			return err
		}
		now := k.Files.Stamps()
		for _, i := range changed {
			k.chore.Stamps[i] = now[i]
		}
	}
	if err := k.Files.SyncNames(); err != nil {
		return err
	}
	if k.chore.Whole && k.Files.Base() != k.Torrent.Name {
		if err := k.rename(); err != nil {
			return err
		}
	}
	if k.chore.Whole && !k.MayBeReadOnly {
		k.dropSide()
	}
	if k.barred {
		return nil
	}
	err := k.Files.WriteJournal(resume.Journal{Stamps: k.chore.Stamps, Verified: k.chore.Verified}.Encode(k.Torrent))
	if k.chore.Task == Finish {
		return nil // the data is safe; without a journal it will be checked
	}
	return err
}

// dropSide removes the side file if no file is diverted any more. One that
// cannot be removed does no harm.
func (k *chores) dropSide() {
	_ = k.Files.DropSide()
	side := k.Files.Layout().Side()
	k.chore.Stamps[side] = k.Files.Stamps()[side]
}

// rename gives the data its final name. What the user has put into the folder
// of the data is not moved with it.
func (k *chores) rename() error {
	if !k.Force {
		stray, err := k.Files.Stray()
		if err != nil {
			return err
		}
		if stray != "" {
			return fmt.Errorf("%s: %w, and would be moved with the data", filepath.Join(k.Dir, filepath.FromSlash(stray)), resume.ErrForeign)
		}
	}
	err := k.Files.Rename(k.Torrent.Name)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", filepath.Join(k.Dir, k.Torrent.Name), resume.ErrForeign)
	}
	if err != nil {
		return err
	}
	if err := k.Files.SyncNames(); err != nil {
		return err
	}
	if k.Torrent.Single { // renaming has changed its stamp
		k.chore.Stamps[0] = k.Files.Stamps()[0]
	}
	return nil
}
