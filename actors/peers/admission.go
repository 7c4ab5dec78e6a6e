package peers

import (
	"errors"
	"net/netip"

	"kouzui/messages"
)

const (
	// maxPerHost: one host may have 1/maxPerHost of the connections, counting only
	// inbound ones.
	maxPerHost = 2
	// reservedShare: 1/reservedShare of the connections are kept for dialling,
	// while there are addresses to dial.
	reservedShare = 5
)

// admit accepts an inbound connection, unless its peer is banned or there are
// too many connections, in all or from its host.
func (k *connections) admit(m *messages.AdoptLink) {
	remote := m.Link.Remote()
	if err := k.refuse(remote.Addr(), m.Handshake.PeerID); err != nil {
		k.out.add(refuseLink{m.Link, err})
		return
	}
	k.open(remote, messages.Incoming, m)
}

// refuse returns why a connection from host is refused, or nil.
func (k *connections) refuse(host netip.Addr, id [20]byte) error {
	if k.closing != nil {
		return errors.New("stopping")
	}
	if k.bans.hasID(host, id) {
		return errors.New("banned")
	}
	if len(k.slots.all) >= k.max-k.reserved() {
		k.wantSlot()
		return errors.New("too many connections")
	}
	same := 0
	for _, s := range k.slots.atHost[messages.HostOf(host)] {
		if s.Inbound {
			same++
		}
	}
	if same > 0 && same >= k.max/maxPerHost {
		k.wantSlot()
		return errors.New("too many connections from this host")
	}
	return nil
}

// reserved is how many connections are kept free for those that we dial.
func (k *connections) reserved() int {
	most := k.max / reservedShare
	if len(k.slots.all) < k.max-most {
		return 0 // all that come in fit anyway
	}
	return min(max(0, most-k.slots.dialled), k.candidates.waiting())
}
