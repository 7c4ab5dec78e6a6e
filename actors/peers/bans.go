package peers

import (
	"net/netip"

	"kouzui/messages"
)

// maxBans bounds the bans that are remembered; the oldest is forgotten first.
const maxBans = 1000

// bans are the addresses that are never dialled, even if another peer listens
// there now, and for some hosts the peer ids that are refused.
type bans struct {
	all     map[ban]bool
	inOrder []ban // oldest first
}

// ban is an address, or with port 0 a host and a peer id.
type ban struct {
	addr netip.AddrPort
	id   [20]byte
}

func newBans() *bans { return &bans{all: map[ban]bool{}} }

func banOfID(host netip.Addr, id [20]byte) ban {
	return ban{netip.AddrPortFrom(messages.HostOf(host), 0), id}
}

func (b *bans) addAddr(addr netip.AddrPort)             { b.add(ban{addr: addr}) }
func (b *bans) addID(host netip.Addr, id [20]byte)      { b.add(banOfID(host, id)) }
func (b *bans) hasAddr(addr netip.AddrPort) bool        { return b.all[ban{addr: addr}] }
func (b *bans) hasID(host netip.Addr, id [20]byte) bool { return b.all[banOfID(host, id)] }

func (b *bans) add(new ban) {
	if b.all[new] {
		return
	}
	if len(b.inOrder) >= maxBans {
		delete(b.all, b.inOrder[0])
		b.inOrder = b.inOrder[1:]
	}
	b.all[new], b.inOrder = true, append(b.inOrder, new)
}

// ban disconnects a peer and refuses it from now on. Its id is not banned if
// another peer has come in from the same host with that id: one of the two may
// have stolen it.
func (k *connections) ban(m *messages.BanAddress) {
	shared := false
	for _, s := range k.slots.all {
		if s.remote == m.Addr {
			k.disconnect(s, messages.GoneBanned)
		} else if s.Inbound && s.ready && s.id == m.ID && s.host() == messages.HostOf(m.Addr.Addr()) {
			shared = true
		}
	}
	if !m.Inbound {
		k.bans.addAddr(m.Addr)
		k.candidates.forget(m.Addr)
	}
	if !shared {
		k.bans.addID(m.Addr.Addr(), m.ID)
	}
}
