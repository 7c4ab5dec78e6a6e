package world

import (
	"time"

	"kouzui/wire/buffer"
)

// Fetcher reads parts of files from HTTP servers, as web seeds need it (BEP
// 19).
type Fetcher interface {
	// Open begins to ask servers for one web seed, whose URL is by from. Nothing
	// is sent yet.
	Open(from Origin) FetchClient
}

// FetchClient asks for one range at a time, and keeps the connection for the
// next.
type FetchClient interface {
	// Fetch asks for a range. deliver is called, one call at a time, with the
	// bytes as they come, in blocks whose lengths are those of r.Chunks; the
	// receiver owns the blocks. Last, done is called once: nil means that all has
	// been delivered, else it is a *FetchError. After cancel neither is called,
	// and the connection is closed unless the answer was read to its end. Nothing
	// limits the time: the caller cancels.
	Fetch(r FetchRange, deliver func([]*buffer.Block), done func(error)) (cancel func())
	// Close cancels what is under way, and closes the connection.
	Close()
}

// FetchRange is a part of a file on a server.
type FetchRange struct {
	URL    string
	Offset int64 // in bytes, of the first
	Size   int64 // of the whole file, in bytes
	// Chunks are the lengths of the blocks in which the range is delivered, in
	// bytes, each at most buffer.Size.
	Chunks []int
}

// Length is how many bytes the range has.
func (r *FetchRange) Length() (n int64) {
	for _, chunk := range r.Chunks {
		n += int64(chunk)
	}
	return n
}

// FetchOutcome says what the failure of a fetch means for those that follow.
type FetchOutcome uint8

// Outcomes.
const (
	// FetchBroken: the server cannot be reached, or the answer broke off.
	FetchBroken FetchOutcome = iota
	// FetchBusy: the server asks to be left alone for a while.
	FetchBusy
	// FetchMissing: the server does not have this part of this file.
	FetchMissing
	// FetchUseless: the URL leads to nothing that can be used, now or later: it
	// may not be asked, serves no ranges, or something else than it says.
	FetchUseless
)

// FetchError is why a fetch failed, in one line that does not repeat the URL.
type FetchError struct {
	Outcome FetchOutcome
	After   time.Duration // for how long the server wants not to be asked; 0: it does not say
	Err     error
}

func (e *FetchError) Error() string { return e.Err.Error() }

func (e *FetchError) Unwrap() error { return e.Err }
