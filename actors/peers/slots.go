package peers

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
)

// slot is a live peer actor. Only slots changes ready and remote.
type slot struct {
	Peer
	ready  bool      // handshakes are exchanged
	since  time.Time // when they were
	useful bool      // payload was transferred, either way
	id     [20]byte
	remote netip.AddrPort
	// listens is where the peer can be dialled; the zero value: that is not known.
	listens netip.AddrPort
	// twin is where we dialled the same peer, on this connection or on another;
	// the zero value: there is one connection.
	twin      netip.AddrPort
	seed      bool
	voted     bool // it has told at which address it sees us
	encrypted messages.Encrypted
	exchange  exchanged
	// reason is why the connection ended; valid if reported.
	reason   messages.GoneReason
	reported bool
}

func (s *slot) host() netip.Addr { return messages.HostOf(s.remote.Addr()) }

// halfOpen tells whether we dial and handshakes are still to come, or whether
// what we dialled is over and still has its actor.
func (s *slot) halfOpen() bool { return !s.Inbound && !s.ready }

// slots are the live peer actors of a torrent. There may be thousands, so
// nothing that happens at each new connection looks at all of them.
type slots struct {
	all      []*slot                // oldest first, since keys only grow
	atHost   map[netip.Addr][]*slot // oldest first
	dialled  int                    // how many we dialled
	halfOpen int                    // of those
}

func newSlots() slots { return slots{atHost: map[netip.Addr][]*slot{}} }

// find returns where a slot stands, or would stand, in a list that is in order.
func find(list []*slot, key messages.PeerKey) (at int, found bool) {
	return slices.BinarySearchFunc(list, key, func(s *slot, key messages.PeerKey) int { return cmp.Compare(s.Key, key) })
}

// of returns the slot of a peer, or nil.
func (t *slots) of(key messages.PeerKey) *slot {
	if i, found := find(t.all, key); found {
		return t.all[i]
	}
	return nil
}

// add takes a slot whose key is greater than all before.
func (t *slots) add(s *slot) {
	t.all = append(t.all, s)
	t.count(s, 1)
	t.settle(s)
}

// remove returns the slot that it removes.
func (t *slots) remove(key messages.PeerKey) *slot {
	i, _ := find(t.all, key)
	s := t.all[i]
	t.all = slices.Delete(t.all, i, i+1)
	t.count(s, -1)
	t.leave(s)
	return s
}

// setReady says that handshakes are exchanged, or that the connection is over.
func (t *slots) setReady(s *slot, is bool) {
	t.count(s, -1)
	s.ready = is
	t.count(s, 1)
}

// setRemote says where a peer was found to be.
func (t *slots) setRemote(s *slot, remote netip.AddrPort) {
	if s.remote != remote {
		t.leave(s)
		s.remote = remote
		t.settle(s)
	}
}

func (t *slots) count(s *slot, n int) {
	if !s.Inbound {
		t.dialled += n
	}
	if s.halfOpen() {
		t.halfOpen += n
	}
}

func (t *slots) settle(s *slot) {
	host := s.host()
	same := t.atHost[host]
	i, _ := find(same, s.Key)
	t.atHost[host] = slices.Insert(same, i, s)
}

func (t *slots) leave(s *slot) {
	host := s.host()
	same := t.atHost[host]
	i, _ := find(same, s.Key)
	if same = slices.Delete(same, i, i+1); len(same) == 0 {
		delete(t.atHost, host)
		return
	}
	t.atHost[host] = same
}
