package session

import (
	"slices"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// What all torrents have in common: memory, rates, the port, connections.

// hungry tells whether payload may come: memory is for those, not for torrents
// that are complete.
func (t *run) hungry() bool { return t.Last.State != messages.StateSeeding }

func (r *registry) hungry() (n int) {
	for _, t := range r.runs {
		if t.hungry() {
			n++
		}
	}
	return max(n, 1)
}

func (r *registry) divideSoon() {
	if !r.dividing {
		r.dividing, r.effects.divide = true, true
	}
}

// divide divides the memory evenly among the torrents that need it. That a part
// is smaller is told at once; that it is larger only when it is so by an
// eighth, so that a thousand torrents that turn out to be complete one by one
// cost few messages.
func (r *registry) divide() {
	r.dividing = false
	bytes := r.memory / int64(r.hungry())
	for _, t := range r.inOrder() {
		if t.pid != nil && t.hungry() && (bytes < t.memory || 8*bytes >= 9*t.memory) {
			t.memory = bytes
			r.out.Send(t.pid, &messages.SetMemory{Bytes: bytes})
		}
	}
}

// limit tells everybody the rates: the limiter keeps them, peers ask for tokens
// by them.
func (r *registry) limit(limits messages.SetLimits) {
	r.limits = limits
	r.out.Send(r.refs.Limiter, &limits)
	for _, t := range r.inOrder() {
		if t.pid != nil {
			r.out.Send(t.pid, &limits)
		}
	}
}

func (r *registry) listen() {
	if r.refs.Listener != nil {
		r.out.Send(r.refs.Listener, &messages.Listen{Before: r.addr})
	}
}

// listening tells a listener that may just have bound what it does not know:
// the torrents.
func (r *registry) listening(m *messages.ListenerReady) {
	r.addr, r.tried, r.unrouted = m.Addr, true, true
	for _, t := range r.inOrder() {
		if t.pid != nil {
			r.route(t)
			r.out.Send(t.pid, &messages.SetListenPort{Port: r.port()})
		}
	}
	r.notify(m)
	r.bindSockets()
	r.mapPort()
	r.order()
	r.refuseUnrouted()
}

func (r *registry) notListening(m *messages.ListenerFailed) {
	r.tried = true
	r.notify(m)
	r.bindSockets()
	r.order()
}

func (r *registry) route(t *run) {
	if r.refs.Listener != nil {
		r.out.Send(r.refs.Listener, &messages.RouteTorrent{InfoHash: t.Add.InfoHash, Torrent: t.pid})
	}
}

func (r *registry) unroute(hash metainfo.Hash) {
	if r.refs.Listener != nil {
		r.out.Send(r.refs.Listener, &messages.RouteTorrent{InfoHash: hash})
	}
}

// refuseUnrouted lets the listener close connections for torrents of which it
// has not heard, once it has heard of all.
func (r *registry) refuseUnrouted() {
	if !r.unrouted || !r.surveyed {
		return
	}
	for _, t := range r.runs {
		if t.pid == nil {
			return
		}
	}
	r.unrouted = false
	r.out.Send(r.refs.Listener, &messages.RefuseUnrouted{})
}

// evict has one torrent close its connection with a peer that it has no use
// for. The torrents take turns: the one with the most peers may need all of
// them.
func (r *registry) evict() {
	all := slices.DeleteFunc(r.inOrder(), func(t *run) bool { return t.Last.Peers == 0 || t.pid == nil })
	if len(all) > 0 {
		r.turn++
		r.out.Send(all[r.turn%len(all)].pid, &messages.EvictIdlePeer{})
	}
}
