package actors

import (
	"fmt"
	"maps"
	"net/netip"
	"sync"

	"kouzui/actors/session"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// orders is what the user wants of the client, and what was last told of it. It
// lies outside the tree, so that a session that begins after another has died
// finds it; it is the session's Keeper.
type orders struct {
	notify func(any) // for the user

	mu       sync.Mutex
	recalled bool // by a session, which knows since then what was ordered before
	limits   messages.SetLimits
	addr     netip.AddrPort
	added    uint64                              // torrents, ever
	runs     map[metainfo.Hash]*session.Recalled // those that have not ended
}

func newOrders(notify func(any), limits messages.SetLimits) *orders {
	return &orders{notify: notify, limits: limits, runs: map[metainfo.Hash]*session.Recalled{}}
}

// add numbers a run of the torrent, or returns ErrAdded.
func (o *orders) add(m *messages.AddTorrent) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.runs[m.InfoHash] != nil {
		return fmt.Errorf("%s: %w", m.Name, ErrAdded)
	}
	o.added++
	m.Run = o.added
	o.runs[m.InfoHash] = &session.Recalled{Add: m}
	return nil
}

func (o *orders) setMetainfo(m *messages.SetMetainfo) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.runs[m.Torrent.InfoHash]; r != nil {
		r.Metainfo = m
	}
}

func (o *orders) setWanted(m *messages.SetWanted) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.runs[m.InfoHash]; r != nil {
		r.Want(m)
	}
}

func (o *orders) stop(hash metainfo.Hash) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.runs[hash]; r != nil {
		r.Stop = true
	}
}

func (o *orders) limit(limits messages.SetLimits) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limits = limits
}

// heard tells whether a session has started and recalled the orders.
func (o *orders) heard() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.recalled
}

// Recall implements session.Keeper.
func (o *orders) Recall() session.Recollection {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.recalled = true
	known := session.Recollection{Limits: o.limits, Addr: o.addr}
	for _, r := range o.runs {
		known.Torrents = append(known.Torrents, *r)
	}
	return known
}

// Notify implements session.Keeper.
func (o *orders) Notify(event any) {
	o.remember(event)
	o.notify(event)
}

func (o *orders) remember(event any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch m := event.(type) {
	case *messages.ListenerReady:
		o.addr = m.Addr
	case *messages.Progress:
		if r := o.runs[m.InfoHash]; r != nil {
			r.Last = *m
		}
	case *messages.TorrentMetainfoFound:
		if r := o.runs[m.Torrent.InfoHash]; r != nil {
			r.Metainfo = &messages.SetMetainfo{Torrent: m.Torrent}
		}
	case *messages.TorrentDataChanged:
		if r := o.runs[m.InfoHash]; r != nil {
			r.Reopens = r.Completed
		}
	case *messages.TorrentCompleted:
		if r := o.runs[m.InfoHash]; r != nil {
			r.Completed, r.Reopens = true, false
			r.Whole = r.Whole || m.Last.HavePieces == m.Last.Pieces
		}
	}
}

// End implements session.Keeper.
func (o *orders) End(run uint64, outcome any) {
	if o.forget(run) {
		o.notify(outcome)
	}
}

func (o *orders) forget(run uint64) (known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := len(o.runs)
	maps.DeleteFunc(o.runs, func(_ metainfo.Hash, r *session.Recalled) bool { return r.Add.Run == run })
	return len(o.runs) < before
}
