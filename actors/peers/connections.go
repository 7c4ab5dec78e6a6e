package peers

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/blocklist"
	"kouzui/wire/metainfo"
)

// connections is the state of the actor: the live peer actors, the addresses
// that may be dialled, and the limits on both. What the shell is to do is
// collected in out.
type connections struct {
	self      [20]byte
	max       int
	limits    messages.SetLimits
	port      uint16 // where we can be dialled; 0: nowhere
	blocklist *blocklist.List
	publicity *messages.SetPublicity // nil: not known
	nextKey   func() messages.PeerKey
	rnd       *rand.Rand

	now        time.Time // of the message that is handled
	slots      slots
	candidates *candidates
	bans       *bans
	dialling   dialling
	exchange   exchange
	// refused: since the scheduler was last asked to evict a peer, one was turned
	// away for want of a slot.
	refused bool
	// counted are the counts that the torrent has been told.
	counted []messages.SourceCount

	// metainfo is nil while only the info hash is known. During that time
	// unreported keeps the PeerReady of each connected peer, in the order of
	// arrival.
	metainfo   *metainfo.Torrent
	unreported []*messages.PeerReady

	// closing is sent on to the scheduler when all peers have stopped; nil while
	// the torrent is not stopping.
	closing *messages.CloseConnections
	out     effects
}

func newConnections(c Config, rnd *rand.Rand, now time.Time) *connections {
	if c.Max <= 0 {
		c.Max = DefaultMax
	}
	k := &connections{
		self: c.Self, max: c.Max, limits: c.Limits, port: c.Port, blocklist: c.Blocklist, nextKey: c.NextKey, rnd: rnd, metainfo: c.Metainfo,
		slots: newSlots(), candidates: newCandidates(c.Max, c.Encryption), bans: newBans(), dialling: newDialling(now),
	}
	k.candidates.private = c.Metainfo != nil && c.Metainfo.Private
	return k
}

// open makes a slot for a peer, which is to dial addr or to adopt a link.
func (k *connections) open(addr netip.AddrPort, from messages.Source, adopt *messages.AdoptLink) {
	s := &slot{remote: addr, Peer: Peer{
		Key: k.nextKey(), Addr: addr, Inbound: adopt != nil, Source: from, Limits: k.limits, Port: k.port, AwaitsMetainfo: k.metainfo == nil,
	}}
	if adopt == nil {
		s.Encrypt = k.candidates.encryption(addr)
	}
	k.slots.add(s)
	k.out.add(spawn{s.Peer, k.publicity, adopt})
}

// ready lets a peer into the swarm, unless we have dialled ourselves, or the
// peer is banned or connected already.
func (k *connections) ready(m *messages.PeerReady) {
	s := k.slots.of(m.Key)
	if s == nil {
		return
	}
	k.slots.setReady(s, true)
	k.slots.setRemote(s, m.Addr)
	s.id, s.encrypted, s.reported = m.ID, m.Encrypted, false
	s.since, s.useful, s.seed, s.twin = k.now, false, false, netip.AddrPort{}
	k.departed(s) // as it was before its actor was restarted
	switch {
	case s.Inbound && k.bans.hasID(m.Addr.Addr(), m.ID):
		k.disconnect(s, messages.GoneBanned)
		return
	case m.ID == k.self:
		k.disconnect(s, messages.GoneSelf)
		return
	}
	if !s.Inbound {
		k.dialling.resume()
		k.candidates.connected(s.Addr)
	}
	if !k.resolveDuplicates(s) {
		return
	}
	if k.metainfo == nil {
		k.forgetReady(m.Key)
		k.unreported = append(k.unreported, m)
		k.reportHeld()
	} else {
		k.out.add(tellScheduler{m})
	}
	if !s.Inbound {
		s.listens = s.Addr
	}
	k.arrived(s)
	k.dial()
}

// forgetReady drops the PeerReady of a peer of which the scheduler has not been
// told.
func (k *connections) forgetReady(key messages.PeerKey) {
	n := len(k.unreported)
	k.unreported = slices.DeleteFunc(k.unreported, func(m *messages.PeerReady) bool { return m.Key == key })
	if len(k.unreported) < n {
		k.reportHeld()
	}
}

func (k *connections) reportHeld() {
	k.out.add(tellTorrent{&messages.PeersConnected{Peers: len(k.unreported)}})
}

// setMetainfo tells the scheduler of the peers that are connected. If the
// torrent is private, the peers whose addresses came from a forbidden source
// are disconnected first.
func (k *connections) setMetainfo(t *metainfo.Torrent) {
	if k.metainfo != nil {
		return
	}
	k.metainfo = t
	if t.Private {
		k.candidates.private = true
		for _, s := range k.slots.all {
			if !s.Inbound && !k.candidates.allows(s.Addr) {
				k.forgetReady(s.Key)
				k.disconnect(s, messages.GoneUseless)
			}
		}
		k.candidates.forgetForbidden()
	}
	for _, m := range k.unreported {
		k.out.add(tellScheduler{m})
	}
	k.unreported = nil
}

func (k *connections) useful(key messages.PeerKey) {
	if s := k.slots.of(key); s != nil {
		s.useful = true
	}
}

func (k *connections) gone(m *messages.PeerGone) {
	k.forgetReady(m.Key)
	if s := k.slots.of(m.Key); s != nil {
		k.slots.setReady(s, false)
		k.departed(s)
		s.reason, s.reported = m.Reason, true
		if m.Reason == messages.GoneFailed && k.publicity != nil {
			// The next incarnation is told before its dial succeeds.
			k.out.add(tell{m.Key, k.publicity})
		}
	}
}

// setPublicity tells every peer what may be told of the torrent, and peers that
// come later when they are spawned.
func (k *connections) setPublicity(m *messages.SetPublicity) {
	k.publicity = m
	k.tellAll(m)
	k.tellSoon()
}

// ended frees the slot of a peer that has stopped. The reason came earlier in a
// PeerGone; if none came, the peer failed and its supervisor stopped it.
func (k *connections) ended(key messages.PeerKey) {
	k.forgetReady(key)
	s := k.slots.remove(key)
	k.departed(s)
	reason := s.reason
	switch {
	case !s.reported:
		reason = messages.GoneFailed
	case (reason == messages.GoneHandshake || reason == messages.GoneCut) && s.id != [20]byte{}:
		// The peer had shaken hands with us before, so it speaks the protocol:
		// it refuses us because it takes our lost connection for alive.
		reason = messages.GoneClosed
	}
	if !s.Inbound {
		k.dialling.resume()
		if reason == messages.GoneExhausted {
			k.dialling.pause(k.now)
		}
		k.candidates.gone(s.Addr, reason, k.now, k.rnd)
	}
	k.endedTwin(s, reason)
	k.dial()
	k.reportClosed()
}

func (k *connections) forgetPeers() {
	k.candidates.forgetTold()
	for _, s := range k.slots.all {
		if s.Inbound || !k.candidates.has(s.Addr) {
			k.forgetReady(s.Key)
			k.disconnect(s, messages.GoneUseless)
		}
	}
}

func (k *connections) close(m *messages.CloseConnections) {
	k.closing, k.dialling.wanted = m, false
	for _, s := range k.slots.all {
		k.out.add(stop{s.Key, messages.GoneStopping})
	}
	k.reportClosed()
}

func (k *connections) reportClosed() {
	if k.closing != nil && len(k.slots.all) == 0 {
		k.out.add(tellScheduler{k.closing})
	}
}

func (k *connections) disconnect(s *slot, reason messages.GoneReason) {
	k.out.add(tell{s.Key, &messages.Disconnect{Reason: reason}})
}

func (k *connections) tellAll(message any) {
	for _, s := range k.slots.all {
		k.out.add(tell{s.Key, message})
	}
}
