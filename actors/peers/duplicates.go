package peers

import (
	"bytes"
	"slices"
	"time"

	"kouzui/messages"
)

// A peer that is connected twice is recognised by its peer id. But a peer id is
// no secret: an attacker can use the id of another peer to make us close our
// connection with that peer. Two connections with one id are therefore two
// peers if their hosts differ. If the host is the same, an inbound peer merely
// claims the id, while the peer at the address that we dialled is the one that
// we meant to reach: we never close a connection that we dialled in favour of
// an inbound one. If both connections are with one peer, that peer sees the
// inbound one as dialled, and closes the other if need be.

const (
	// crossing is how far apart in time two connections may begin that count as
	// two peers dialling each other at once. The one that the peer with the
	// greater id dialled stays then, as in libtorrent, and that peer alone closes
	// the other one: if both did, both connections might be lost.
	crossing = 10 * time.Second
	// maxSameID bounds the inbound connections from one host with one peer id.
	maxSameID = 3
)

// resolveDuplicates ends the connections that a new one makes redundant, and
// tells whether the new one stays.
func (k *connections) resolveDuplicates(newer *slot) (stays bool) {
	var sameID []*slot
	for _, older := range k.slots.atHost[newer.host()] {
		if older == newer || !older.ready || older.id != newer.id {
			continue
		}
		if older.Inbound && newer.Inbound {
			sameID = append(sameID, older)
		}
		if newer.Inbound != older.Inbound {
			pair(newer, older)
		}
		switch lost := k.redundant(newer, older); {
		case lost != nil:
			k.endDuplicate(lost)
			if lost == newer {
				return false
			}
		case newer.Inbound:
			k.out.add(tell{older.Key, &messages.ProveAlive{}}) // the peer may have lost that connection
		}
	}
	if len(sameID) < maxSameID {
		return true
	}
	for _, older := range sameID {
		if !older.useful && newer.since.Sub(older.since) >= crossing {
			k.endDuplicate(older)
			return true
		}
	}
	k.endDuplicate(newer)
	return false
}

func (k *connections) endDuplicate(s *slot) {
	k.slots.setReady(s, false)
	k.departed(s)
	k.forgetReady(s.Key)
	k.disconnect(s, messages.GoneDuplicate)
}

// redundant returns which of two connections with one id at one host is to be
// closed, or nil.
func (k *connections) redundant(newer, older *slot) *slot {
	dialled, accepted := newer, older
	if newer.Inbound {
		dialled, accepted = older, newer
	}
	switch {
	case newer.Inbound == older.Inbound:
		return nil
	case newer.since.Sub(older.since) < crossing:
		// Which of the two is of use is no question here: the peer may see payload
		// before we do.
		if bytes.Compare(k.self[:], newer.id[:]) > 0 {
			return accepted
		}
		return nil
	case dialled.useful && !accepted.useful:
		return accepted
	case accepted.useful:
		return nil
	case older == accepted:
		return accepted // the inbound peer may have stolen the id of the peer that we dialled
	}
	return nil
}

// pair notes of two connections with one peer at which address we dialled it.
func pair(a, b *slot) {
	if a.Inbound {
		a, b = b, a
	}
	a.twin, b.twin = a.Addr, a.Addr
}

// endedTwin sees to the address that we dialled when one of two connections
// with one peer has ended. While the other one lives, another dial would bring
// a duplicate. If both ended soon, both sides may have closed one, each another
// one, and the peer is dialled again soon.
func (k *connections) endedTwin(s *slot, why messages.GoneReason) {
	x := k.candidates.all[s.twin]
	if x == nil || x.busy {
		return
	}
	if slices.ContainsFunc(k.slots.atHost[s.host()], func(o *slot) bool { return o.ready && o.twin == s.twin }) {
		x.postpone(k.now.Add(firstRetryMisfit))
		return
	}
	duplicate := why == messages.GoneClosed || why == messages.GoneDuplicate
	if duplicate && k.now.Sub(s.since) < crossing {
		x.hurry(k.now, k.rnd)
	}
}
