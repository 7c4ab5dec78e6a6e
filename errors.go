package kouzui

import (
	"errors"

	"kouzui/actors"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/choice"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// Errors that methods return, wrapped: compare with errors.Is. What ends a
// torrent may also be an error of the disk: fs.ErrNotExist, fs.ErrPermission
// and fs.ErrExist keep their meaning.
var (
	// ErrClosed: the client has been closed, or was never opened.
	ErrClosed = errors.New("the client is closed")
	// ErrEnded: the torrent runs no more.
	ErrEnded = errors.New("the torrent has ended")
	// ErrNoDHT: the client has no DHT of this address family.
	ErrNoDHT = errors.New("there is no DHT of this address family")
	// ErrStopped: the torrent was stopped before it was complete.
	ErrStopped = errors.New("the torrent was stopped before it was complete")
	// ErrAdded: the torrent has been added before, and has not ended.
	ErrAdded = actors.ErrAdded
	// ErrNameUsed: a torrent that has not ended has the same name in the same
	// folder. It is an ErrLocked.
	ErrNameUsed = world.ErrNameUsed
	// ErrStalled: nothing came for as long as Options.StallTimeout allows.
	ErrStalled = messages.ErrStalled
	// ErrGivenUp: supervision could not keep a part alive.
	ErrGivenUp = messages.ErrGivenUp
	// ErrInTheWay: a name that the torrent needs is taken by a folder, a link or
	// a longer file, which Options.Force does not overwrite. It is an fs.ErrExist.
	ErrInTheWay = messages.ErrInTheWay
	// ErrFull: there is no room on the disk.
	ErrFull = world.ErrFull
	// ErrLocked: another client works on the same data.
	ErrLocked = world.ErrLocked
	// ErrLinked: a file has a second name (a hard link), and is not written to.
	ErrLinked = world.ErrLinked
)

// MetainfoError says why the bytes of a .torrent are refused.
type MetainfoError = metainfo.Error

// MagnetError says why a magnet link is refused.
type MagnetError = magnet.Error

// ChoiceError says why a choice of files cannot be read, or does not fit a
// torrent.
type ChoiceError = choice.Error

// TrackerError says why an announce has failed.
type TrackerError = world.AnnounceError

// OptionError says which field of a Config or of Options makes no sense.
type OptionError struct{ Field, Why string }

func (e *OptionError) Error() string { return e.Field + " " + e.Why }
