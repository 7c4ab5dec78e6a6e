package choker

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/messages"
)

// table is what the choker knows of its peers.
type table struct {
	algorithm Algorithm
	slots     int
	seeding   bool
	peers     []Peer // by Key
	shown     []Peer // to the algorithm, which may change it
}

func (t *table) find(key messages.PeerKey) (int, bool) {
	return slices.BinarySearchFunc(t.peers, key, func(p Peer, k messages.PeerKey) int { return cmp.Compare(p.Key, k) })
}

// observe takes over what a peer reports. Whether it is unchoked it tells us
// only the first time: then we may be a choker's next incarnation. Later the
// report may have crossed a change on its way.
// News are those after which slots may be free, or somebody may want one; odd
// is a report that does not agree with what this peer was told last.
func (t *table) observe(m *messages.PeerRates) (news, odd bool) {
	i, known := t.find(m.Key)
	if !known {
		t.peers = slices.Insert(t.peers, i, Peer{Key: m.Key, Joined: m.At, Since: m.At, Unchoked: !m.Flags.AmChoking})
	}
	p := &t.peers[i]
	news = !known || p.Interested != m.Flags.PeerInterested || p.Snubbed != m.Flags.Snubbed
	p.Interested, p.Snubbed, p.Seed = m.Flags.PeerInterested, m.Flags.Snubbed, m.Flags.Seed
	p.Down, p.Up, p.Host, p.Taking = m.Down, m.Up, m.Host, m.Taking
	if p.Taking && p.Unchoked {
		p.Idle = 0
	}
	return news, p.Unchoked == m.Flags.AmChoking
}

// drop forgets a peer; false if it was not known.
func (t *table) drop(key messages.PeerKey) bool {
	i, known := t.find(key)
	if known {
		t.peers = slices.Delete(t.peers, i, i+1)
	}
	return known
}

func (t *table) unchoked(key messages.PeerKey) bool {
	i, known := t.find(key)
	return known && t.peers[i].Unchoked
}

// decide asks the algorithm and returns whose state has changed.
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
