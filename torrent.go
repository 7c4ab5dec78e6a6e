package kouzui

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"kouzui/messages"
)

// A question is asked again after firstWait, then after twice that, up to
// lastWait: an actor that dies takes the questions that it has not answered
// with it.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = time.Second
)

// Status is how far a torrent is.
type Status = messages.Progress

// State of a torrent, in Status.
type State = messages.State

// States of a torrent.
const (
	StateStarting    = messages.StateStarting
	StateMetadata    = messages.StateMetadata
	StateChecking    = messages.StateChecking
	StateDownloading = messages.StateDownloading
	StateFinishing   = messages.StateFinishing
	StateSeeding     = messages.StateSeeding
	StateDiskFull    = messages.StateDiskFull
	StateRestarting  = messages.StateRestarting
	StateStopped     = messages.StateStopped
)

// File is how far a file is, Tracker what a tier of trackers answers, Peer a
// connection, Source where the address of a peer came from.
type (
	File        = messages.FileStatus
	Tracker     = messages.TrackerStatus
	Peer        = messages.PeerInfo
	Source      = messages.Source
	SourceCount = messages.SourceCount
)

// Torrent is a torrent of a Client.
type Torrent struct {
	client *Client
	hash   Hash
	dir    string
	number uint64
	// announce, linkPeers, linkHosts and linkWebSeeds are what a magnet link says,
	// linkPeers those of its peers that may be tried.
	announce     [][]string
	linkPeers    []netip.AddrPort
	linkHosts    []string
	linkWebSeeds []string

	readers readers

	// The rest is guarded by client.mu.
	name      string
	metainfo  *Metainfo // nil: not known
	last      Status
	stored    bool // the data on disk is the torrent's, or there was none before
	err       error
	completed chan struct{} // closed when it is complete for the first time
	ended     chan struct{} // closed after err is set
}

// valid tells a Torrent that a Client made from a zero value.
func (t *Torrent) valid() bool { return t != nil && t.client != nil }

// InfoHash is the torrent's info hash.
func (t *Torrent) InfoHash() Hash {
	if !t.valid() {
		return Hash{}
	}
	return t.hash
}

// Name is the torrent's name, its info hash while that is not known.
func (t *Torrent) Name() string {
	if !t.valid() {
		return ""
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	return t.name
}

// Metainfo is what is in the torrent; nil while that is not known. It is not to
// be changed.
func (t *Torrent) Metainfo() *Metainfo {
	if !t.valid() {
		return nil
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	return t.metainfo
}

// SetMetainfo tells what is in a torrent that was added by its info hash.
func (t *Torrent) SetMetainfo(m *Metainfo) error {
	switch {
	case !t.valid():
		return ErrEnded
	case m == nil || len(m.Files) == 0:
		return &OptionError{"Metainfo", "must come from Parse"}
	case m.InfoHash != t.hash:
		return &OptionError{"Metainfo", fmt.Sprintf("has the info hash %v, not %v", m.InfoHash, t.hash)}
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	if t.client.torrents[t.hash] != t {
		return ErrEnded
	}
	if t.metainfo == nil {
		t.metainfo, t.name = m, m.Name
		t.client.engine.SetMetainfo(m)
	}
	return nil
}

// Choose says which files are wanted from now on; nil: all. Files that have
// been begun stay. The error is a *ChoiceError or ErrEnded.
func (t *Torrent) Choose(c *Choice) error {
	if !t.valid() {
		return ErrEnded
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	if t.client.torrents[t.hash] != t {
		return ErrEnded
	}
	if t.metainfo != nil {
		if _, err := c.Resolve(t.metainfo); err != nil {
			return err
		}
	}
	if c == nil {
		c = &Choice{}
	}
	t.client.engine.Choose(t.hash, c)
	return nil
}

// Wait returns when the torrent has ended: nil if it is complete, ErrStopped if
// it was stopped before, or why it failed. When ctx ends first, it returns its
// error, and the torrent goes on.
func (t *Torrent) Wait(ctx context.Context) error {
	if !t.valid() {
		return ErrEnded
	}
	select {
	case <-t.ended:
	default:
		ctx = background(ctx)
		select {
		case <-t.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	return t.err
}

// WaitComplete returns nil when all data is there, also if the torrent goes on
// seeding, and otherwise as Wait does.
func (t *Torrent) WaitComplete(ctx context.Context) error {
	if !t.valid() {
		return ErrEnded
	}
	ctx = background(ctx)
	select {
	case <-t.completed:
		return nil
	case <-t.ended:
		return t.Wait(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends the torrent in good order, and returns when it has ended: what has
// come is kept, and trackers are told. It takes a few seconds at most.
func (t *Torrent) Stop(ctx context.Context) error {
	if !t.valid() {
		return ErrEnded
	}
	ctx = background(ctx)
	t.stop()
	select {
	case <-t.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop has the torrent stopped, unless it has ended: then another may run that
// was added since.
func (t *Torrent) stop() {
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	if t.client.torrents[t.hash] == t {
		t.client.engine.Stop(t.hash)
	}
}

// Status tells how far the torrent is. With ErrEnded it tells how far it was in
// the end.
func (t *Torrent) Status(ctx context.Context) (Status, error) {
	s, err := ask(ctx, t, func(reply func(Status)) any { return &messages.QueryStatus{InfoHash: t.hash, Reply: reply} })
	if !t.valid() || err == nil && s.InfoHash == t.hash {
		return s, err
	}
	t.client.mu.Lock()
	defer t.client.mu.Unlock()
	return t.last, err
}

// Files tells how much of each file is there. There are none while the metainfo
// is not known.
func (t *Torrent) Files(ctx context.Context) ([]File, error) {
	return ask(ctx, t, func(reply func([]File)) any { return &messages.QueryFiles{InfoHash: t.hash, Reply: reply} })
}

// Peers lists the connected peers.
func (t *Torrent) Peers(ctx context.Context) ([]Peer, error) {
	return ask(ctx, t, func(reply func([]Peer)) any { return &messages.QueryPeers{InfoHash: t.hash, Reply: reply} })
}

// Trackers tells what the tiers of trackers answered last.
func (t *Torrent) Trackers(ctx context.Context) ([]Tracker, error) {
	return ask(ctx, t, func(reply func([]Tracker)) any { return &messages.QueryTrackers{InfoHash: t.hash, Reply: reply} })
}

// ask asks the tree about a torrent that runs.
func ask[T any](ctx context.Context, t *Torrent, question func(reply func(T)) any) (answer T, err error) {
	if !t.valid() {
		return answer, ErrEnded
	}
	return askUntil(ctx, t.client, t.ended, question)
}

// askUntil asks the tree until it answers, over is closed or ctx ends.
func askUntil[T any](ctx context.Context, c *Client, over <-chan struct{}, question func(reply func(T)) any) (answer T, err error) {
	ctx = background(ctx)
	answers := make(chan T, 1)
	reply := func(a T) {
		select {
		case answers <- a:
		default: // the answer to the question that was asked again
		}
	}
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		select {
		case <-over:
			return answer, ErrEnded
		default:
			c.engine.Ask(question(reply))
		}
		again := time.NewTimer(wait)
		select {
		case answer = <-answers:
			return answer, nil
		case <-over:
			return answer, ErrEnded
		case <-ctx.Done():
			return answer, ctx.Err()
		case <-again.C:
		}
		again.Stop()
	}
}
