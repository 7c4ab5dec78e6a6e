package kouzui

import (
	"context"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

// Event is something that happened: one of the types below, and no other.
type Event interface{ event() }

type (
	// Progress comes once a second, less often while nothing happens, and at each
	// change of state.
	Progress struct {
		Torrent *Torrent
		Status  Status
	}
	// MetainfoFound: peers have told what is in a torrent that was added without
	// that.
	MetainfoFound struct {
		Torrent  *Torrent
		Metainfo *Metainfo
	}
	// PiecesVerified: these pieces are there, and right.
	PiecesVerified struct {
		Torrent *Torrent
		Pieces  []uint32
	}
	// Completed: all data is there, under its final name. It comes again after
	// DataChanged, once what was changed is right again.
	Completed struct {
		Torrent *Torrent
		Status  Status
	}
	// DataChanged: another program has changed the data, or it cannot be read any
	// more. It is checked again.
	DataChanged struct {
		Torrent *Torrent
		Err     error
	}
	// Announced is what came of an announce: one of the two is set.
	Announced struct {
		Torrent *Torrent
		Replied *messages.TrackerReplied
		Failed  *messages.TrackerFailed
	}
	// PeerBanned: the peer has sent wrong data. Its connection was closed, and no
	// other is made.
	PeerBanned struct {
		Torrent *Torrent
		Addr    netip.AddrPort
		Reason  string
	}
	// WebSeedGivenUp: the server at Host is not asked any more for this torrent,
	// as it has sent wrong data or is of no use.
	WebSeedGivenUp struct {
		Torrent *Torrent
		Host    string
		Reason  string
	}
	// Ended is the last event of a torrent. Err is what Wait returns.
	Ended struct {
		Torrent *Torrent
		Status  Status
		Err     error
	}

	// Listening: peers can connect at Addr. It comes again when that has changed.
	Listening struct{ Addr netip.AddrPort }
	// ListenFailed: peers cannot connect. It is tried again.
	ListenFailed struct{ Err error }
	// SocketFailed: datagrams can neither leave from Addr nor come there: trackers
	// over UDP and the DHT are out of reach. It is tried again.
	SocketFailed struct {
		Addr netip.AddrPort
		Err  error
	}
	// Blocked: so many addresses of the blocklist were not dialled, or connections
	// from there were closed.
	Blocked struct {
		Inbound bool
		Count   int
	}
	// DHTReported: how the DHT of one address family stands, every few seconds
	// while something changes.
	DHTReported struct{ messages.DHTReport }
	// SendingMeasured: what it costs to send a MiB was measured, in processor time
	// of the sending thread, 0 if it is not known, and the cheapest way chosen.
	SendingMeasured struct {
		Chosen                   string // sendfile, copied or mapped
		Sendfile, Copied, Mapped time.Duration
	}
)

func (Progress) event()        {}
func (MetainfoFound) event()   {}
func (PiecesVerified) event()  {}
func (Completed) event()       {}
func (DataChanged) event()     {}
func (Announced) event()       {}
func (PeerBanned) event()      {}
func (WebSeedGivenUp) event()  {}
func (Ended) event()           {}
func (Listening) event()       {}
func (ListenFailed) event()    {}
func (SocketFailed) event()    {}
func (Blocked) event()         {}
func (DHTReported) event()     {}
func (SendingMeasured) event() {}

// Events is what happens from this call on to all torrents and to the client,
// until ctx ends, the loop is left, or the client is closed. A slow reader
// holds up no actor and misses nothing, but of the Progress of a torrent only
// the newest that has not been read is kept. What is not read takes memory, so
// end ctx if the loop may never begin. The first events are the last Listening
// or ListenFailed, if there was one before, and SocketFailed of sockets that
// are not bound.
func (c *Client) Events(ctx context.Context) iter.Seq[Event] {
	if c == nil || c.engine == nil {
		return func(func(Event) bool) {}
	}
	return c.subscribe(ctx, nil)
}

// Events is what happens to the torrent from this call on, until Ended, which
// also comes if the torrent has ended before. See Client.Events.
func (t *Torrent) Events(ctx context.Context) iter.Seq[Event] {
	if !t.valid() {
		return func(func(Event) bool) {}
	}
	return t.client.subscribe(ctx, t)
}

// subscription is the events that one reader has not read yet.
type subscription struct {
	of *Torrent // nil: all

	mu       sync.Mutex
	events   []Event          // nil for a Progress that a newer one has replaced
	progress map[*Torrent]int // where in events
	replaced int              // events that are nil
	over     bool
	ready    chan struct{} // has an element when there is something to read
}

func (c *Client) subscribe(ctx context.Context, of *Torrent) iter.Seq[Event] {
	ctx = background(ctx)
	s := &subscription{of: of, progress: map[*Torrent]int{}, ready: make(chan struct{}, 1)}
	c.mu.Lock()
	switch {
	case of != nil && c.torrents[of.hash] != of:
		s.put(Ended{of, of.last, of.err})
		s.close()
	case c.closed && of == nil && len(c.torrents) == 0:
		s.close()
	default:
		c.subs[s] = true
		if of == nil && c.listener != nil {
			s.put(c.listener)
		}
		for _, failed := range c.sockets {
			if of == nil && failed != nil {
				s.put(*failed)
			}
		}
	}
	c.mu.Unlock()
	leave := func() {
		c.mu.Lock()
		delete(c.subs, s)
		c.mu.Unlock()
		s.close()
	}
	stop := context.AfterFunc(ctx, leave)
	return func(yield func(Event) bool) {
		defer stop()
		defer leave()
		for {
			events, over := s.take()
			for _, e := range events {
				if e != nil && (ctx.Err() != nil || !yield(e)) {
					return
				}
			}
			if over {
				return
			}
			<-s.ready
		}
	}
}

func (s *subscription) put(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	if p, is := e.(Progress); is {
		if i, unread := s.progress[p.Torrent]; unread {
			s.events[i] = nil
			s.replaced++
		}
		if s.replaced > len(s.events)/2 {
			s.compact()
		}
		s.progress[p.Torrent] = len(s.events)
	}
	s.events = append(s.events, e)
	s.wake()
}

// compact leaves out what has been replaced. s.mu is held.
func (s *subscription) compact() {
	s.events = slices.DeleteFunc(s.events, func(e Event) bool { return e == nil })
	s.replaced = 0
	for i, e := range s.events {
		if p, is := e.(Progress); is {
			s.progress[p.Torrent] = i
		}
	}
}

// close ends the subscription after what has not been read.
func (s *subscription) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.wake()
}

func (s *subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *subscription) take() (events []Event, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	events, s.events = s.events, nil
	clear(s.progress)
	s.replaced = 0
	return events, s.over
}

// emit tells subscribers. c.mu is held.
func (c *Client) emit(t *Torrent, e Event) {
	for s := range c.subs {
		if s.of == nil || s.of == t {
			s.put(e)
		}
	}
}

// end ends a torrent. c.mu is held.
func (c *Client) end(t *Torrent, last Status, err error) {
	t.last, t.err = last, err
	delete(c.torrents, t.hash)
	c.emit(t, Ended{t, last, err})
	for s := range c.subs {
		if s.of == t {
			s.close()
			delete(c.subs, s)
		}
	}
	close(t.ended)
}

// notify takes the events of the tree. It does not block.
func (c *Client) notify(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := event.(type) {
	case *messages.ListenerReady:
		if c.listening = m.Addr; !closed(c.bound) {
			close(c.bound)
		}
		c.listener = Listening{m.Addr}
		c.emit(nil, c.listener)
	case *messages.ListenerFailed:
		c.listener = ListenFailed{m.Err}
		c.emit(nil, c.listener)
	case *messages.SocketReady:
		c.sockets[messages.Family(m.Addr.Addr())] = nil
	case *messages.SocketFailed:
		if !errors.Is(m.Err, world.ErrNoAddress) { // else the other family is all there is
			failed := SocketFailed{m.Addr, m.Err}
			c.sockets[messages.Family(m.Addr.Addr())] = &failed
			c.emit(nil, failed)
		}
	case *messages.AddressesBlocked:
		c.emit(nil, Blocked{m.Inbound, m.Count})
	case *messages.SendingMeasured:
		c.emit(nil, SendingMeasured{m.Chosen, m.Sendfile, m.Copied, m.Mapped})
	case *messages.DHTReport:
		c.emit(nil, DHTReported{*m})
	case *messages.Progress:
		c.with(m.InfoHash, func(t *Torrent) {
			t.last = *m
			switch m.State {
			case StateDownloading, StateFinishing, StateSeeding, StateDiskFull:
				t.stored = true
			}
			c.emit(t, Progress{t, *m})
		})
	case *messages.TorrentMetainfoFound:
		c.with(m.Torrent.InfoHash, func(t *Torrent) {
			if t.metainfo == nil {
				t.metainfo, t.name = m.Torrent, m.Torrent.Name
				c.emit(t, MetainfoFound{t, m.Torrent})
			}
		})
	case *messages.TorrentPiecesVerified:
		c.with(m.InfoHash, func(t *Torrent) { c.emit(t, PiecesVerified{t, m.Pieces}) })
	case *messages.TorrentCompleted:
		c.with(m.InfoHash, func(t *Torrent) {
			if !closed(t.completed) {
				close(t.completed)
			}
			c.emit(t, Completed{t, m.Last})
		})
	case *messages.TorrentDataChanged:
		c.with(m.InfoHash, func(t *Torrent) { c.emit(t, DataChanged{t, m.Err}) })
	case *messages.TorrentAnnounced:
		c.with(m.InfoHash, func(t *Torrent) { c.emit(t, Announced{t, m.Replied, m.Failed}) })
	case *messages.TorrentPeerBanned:
		c.with(m.InfoHash, func(t *Torrent) { c.emit(t, PeerBanned{t, m.Addr, m.Reason}) })
	case *messages.TorrentWebSeedDropped:
		c.with(m.InfoHash, func(t *Torrent) { c.emit(t, WebSeedGivenUp{t, m.Host, m.Reason}) })
	case *messages.TorrentDone:
		c.with(m.InfoHash, func(t *Torrent) {
			if m.Complete {
				c.end(t, m.Last, nil)
			} else {
				c.end(t, m.Last, ErrStopped)
			}
		})
	case *messages.TorrentFailed:
		c.with(m.InfoHash, func(t *Torrent) { c.end(t, m.Last, m.Err) })
	}
}

// with calls f with the torrent, if there is one. c.mu is held.
func (c *Client) with(hash Hash, f func(*Torrent)) {
	if t := c.torrents[hash]; t != nil {
		f(t)
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
