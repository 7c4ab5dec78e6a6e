package peers

import (
	"bytes"
	"time"

	"kouzui/messages"
)

// A peer that is connected twice is recognised by its id. But an id is no
// secret: an attacker can use it, so that we give up the connection of its
// owner. So two connections from different hosts are two peers. Of two from one
// host, whoever came in only claims the id, while the peer at the address that
// we dialled is the one that we meant: we never give up a connection that we
// dialled for one that came in. If both are one peer, that peer sees the two
// the other way round, and closes ours if that is the one to go.

const (
	// crossing is within what time two connections count as dials that have
	// crossed, of which both sides must give up the same one.
	crossing = 10 * time.Second
	// maxSameID bounds the connections with one id that came in from one host.
	maxSameID = 3
)

// resolveDuplicates ends the connections that a new one makes redundant, and
// tells whether the new one stays.
func (k *connections) resolveDuplicates(newer *slot) (stays bool) {
	var sameID []*slot
	for _, older := range k.inOrder() {
		if older == newer || !older.ready || older.id != newer.id || older.host() != newer.host() {
			continue
		}
		if older.Inbound && newer.Inbound {
			sameID = append(sameID, older)
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
	s.ready = false
	k.forgetReady(s.Key)
	k.disconnect(s, messages.GoneDuplicate)
}

// redundant returns which of two connections with one id at one host is given
// up, or nil.
func (k *connections) redundant(newer, older *slot) *slot {
	dialled, accepted := newer, older
	if newer.Inbound {
		dialled, accepted = older, newer
	}
	crossed := newer.since.Sub(older.since) < crossing
	switch {
	case newer.Inbound == older.Inbound:
		return nil
	case dialled.useful && !accepted.useful:
		return accepted
	case accepted.useful:
		return nil
	case crossed && bytes.Compare(k.self[:], newer.id[:]) < 0:
		return accepted // of two that crossed, what the smaller id has dialled stays
	case !crossed && older == accepted:
		return accepted // its id was used by somebody else: the owner is the one we dialled
	}
	return nil
}
