package choker

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/messages"
)

const (
	// roundPeriod is how long it takes from one round to the next, in which slots
	// are given anew: ten seconds, as BEP 3 says.
	roundPeriod  = 10 * time.Second
	defaultSlots = 4
	// With more than crowd peers, free slots are filled after fillDelayEach for
	// every peer beyond that, so that thousands of peers that come, go or change
	// their mind do not cause as many looks at all of them.
	crowd         = 100
	fillDelayEach = 200 * time.Microsecond
)

// table is what the choker knows of its peers.
type table struct {
	algorithm Algorithm
	slots     int
	seeding   bool
	peers     []Peer // by Key
	shown     []Peer // to the algorithm, which may change it
}

// newTable makes a table without peers; slots 0: defaultSlots.
func newTable(algorithm Algorithm, slots int) table {
	if slots <= 0 {
		slots = defaultSlots
	}
	return table{algorithm: algorithm, slots: slots}
}

// fillDelay is how long the filling of free slots waits for more to happen.
func (t *table) fillDelay() time.Duration {
	return time.Duration(max(0, len(t.peers)-crowd)) * fillDelayEach
}

func (t *table) find(key messages.PeerKey) (int, bool) {
	return slices.BinarySearchFunc(t.peers, key, func(p Peer, k messages.PeerKey) int { return cmp.Compare(p.Key, k) })
}

// observe takes over what a peer reports. Only the first report says whether
// the peer is unchoked: then we may be a choker's next incarnation. A later one
// may have crossed a change on its way.
//
// mayFill says that a slot may be free now, or that the peer may want one;
// disagrees that the peer takes itself for choked or unchoked, other than it
// was told last.
func (t *table) observe(m *messages.PeerRates) (mayFill, disagrees bool) {
	i, known := t.find(m.Key)
	if !known {
		t.peers = slices.Insert(t.peers, i, Peer{Key: m.Key, Joined: m.At, Since: m.At, Unchoked: !m.Flags.AmChoking})
	}
	p := &t.peers[i]
	mayFill = !known || p.Interested != m.Flags.PeerInterested || p.Snubbed != m.Flags.Snubbed
	p.Interested, p.Snubbed = m.Flags.PeerInterested, m.Flags.Snubbed
	p.Seed = m.Flags.Seed || m.Flags.UploadOnly
	p.Down, p.Up, p.Host, p.Taking = m.Down, m.Up, m.Host, m.Taking
	p.Choking, p.DownTotal, p.UpTotal = m.Flags.PeerChoking, m.DownTotal, m.UpTotal
	if p.Taking && p.Unchoked {
		p.Idle = 0
	}
	return mayFill, p.Unchoked == m.Flags.AmChoking
}

// drop forgets a peer; false if it was not known.
func (t *table) drop(key messages.PeerKey) bool {
	i, known := t.find(key)
	if known {
		t.peers = slices.Delete(t.peers, i, i+1)
	}
	return known
}

func (t *table) choked(key messages.PeerKey) bool {
	i, known := t.find(key)
	return !known || !t.peers[i].Unchoked
}

// decide asks the algorithm, and returns the peers that it chokes or unchokes.
func (t *table) decide(now time.Time, full bool, rnd *rand.Rand) (changed []messages.PeerKey) {
	t.shown = append(t.shown[:0], t.peers...)
	keys := t.algorithm.Decide(Round{
		Now:     now,
		Peers:   t.shown,
		Slots:   t.slots,
		Seeding: t.seeding,
		Full:    full,
		Rand:    rnd,
	})
	slices.Sort(keys)
	for i := range t.peers {
		p := &t.peers[i]
		if _, unchoke := slices.BinarySearch(keys, p.Key); unchoke != p.Unchoked {
			if p.Interested {
				p.Idle = p.idleTurns(now)
			}
			p.Unchoked, p.Since = unchoke, now
			changed = append(changed, p.Key)
		}
	}
	return changed
}
