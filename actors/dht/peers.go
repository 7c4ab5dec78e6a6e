package dht

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/wire/krpc"
)

const (
	maxTorrents = 2000 // that others may have announced here
	maxPeers    = 500  // of one torrent
	// hostPeers is how many peers of one torrent a host may announce: one at each
	// of its ports would hide all others.
	hostPeers = 5
	// replyPeers is how many peers a reply names, if so many fit.
	replyPeers = 100
	// peerLife is how long an announce counts: three times as long as clients take
	// to announce again.
	peerLife = 45 * time.Minute
	// sampleLife is how long the same info hashes are told as samples (BEP 51).
	sampleLife = 5 * time.Minute
	// maxSamples is how many are told: more do not fit beside eight nodes.
	maxSamples = 30
)

// peer is one that was announced.
type peer struct {
	addr netip.AddrPort
	seed bool
	at   int64 // when, in Unix nanoseconds
}

// stored is the peers that others have announced to us.
type stored struct {
	torrents map[krpc.ID][]peer // in the order of their announces; nil: none ever
	rand     *rand.Rand
	samples  []krpc.ID
	sampled  time.Time
	count    int // peers in all
	swept    time.Time
}

// announce enters a peer, or enters it anew.
func (s *stored) announce(hash krpc.ID, addr netip.AddrPort, seed bool, now time.Time) {
	s.sweep(now)
	if s.torrents == nil {
		s.torrents = map[krpc.ID][]peer{}
	}
	list, known := s.torrents[hash]
	if !known && len(s.torrents) >= maxTorrents {
		s.dropSmallest()
	}
	before := len(list)
	list = slices.DeleteFunc(list, func(p peer) bool { return p.addr == addr })
	of, first := 0, -1
	for i, p := range list {
		if sourceOf(p.addr) == sourceOf(addr) {
			if of++; first < 0 {
				first = i
			}
		}
	}
	switch {
	case of >= hostPeers:
		list = slices.Delete(list, first, first+1)
	case len(list) >= maxPeers:
		list = slices.Delete(list, 0, 1)
	}
	s.torrents[hash] = append(list, peer{addr, seed, now.UnixNano()})
	s.count += len(list) + 1 - before
}

// dropSmallest makes room for another torrent: invented ones have few peers, so
// that the one with the fewest, and of these the oldest announce, is dropped.
func (s *stored) dropSmallest() {
	var smallest krpc.ID
	var least []peer
	for hash, list := range s.torrents {
		last := func(l []peer) int64 { return l[len(l)-1].at }
		if least == nil || len(list) < len(least) ||
			len(list) == len(least) && (last(list) < last(least) || last(list) == last(least) && nearer(hash, smallest, krpc.ID{})) {
			smallest, least = hash, list
		}
	}
	s.count -= len(least)
	delete(s.torrents, smallest)
}

// sweep forgets what is too old, at most once a minute.
func (s *stored) sweep(now time.Time) {
	if now.Sub(s.swept) < time.Minute {
		return
	}
	s.swept = now
	for hash, list := range s.torrents {
		kept := s.living(list, now)
		s.count -= len(list) - len(kept)
		if len(kept) == 0 {
			delete(s.torrents, hash)
		} else if len(kept) < len(list) {
			s.torrents[hash] = slices.Clone(kept)
		}
	}
}

// living are the peers that have not become too old. The list is in the order
// of announces.
func (s *stored) living(list []peer, now time.Time) []peer {
	for len(list) > 0 && now.UnixNano()-list[0].at >= int64(peerLife) {
		list = list[1:]
	}
	return list
}

// peers returns some peers of a torrent; seeds only if they are wanted.
func (s *stored) peers(hash krpc.ID, noSeeds bool, now time.Time) (addrs []netip.AddrPort) {
	list := s.living(s.torrents[hash], now)
	if len(list) == 0 {
		return nil
	}
	start := 0
	if len(list) > replyPeers {
		start = s.rand.IntN(len(list))
	}
	for i := range list {
		p := list[(start+i)%len(list)]
		if len(addrs) < replyPeers && !(noSeeds && p.seed) {
			addrs = append(addrs, p.addr)
		}
	}
	return addrs
}

// filters count seeds and other peers of a torrent (BEP 33). There are none of
// a torrent of which we know nothing.
func (s *stored) filters(hash krpc.ID, now time.Time) (seeds, others *krpc.Filter) {
	list := s.living(s.torrents[hash], now)
	if len(list) == 0 {
		return nil, nil
	}
	seeds, others = new(krpc.Filter), new(krpc.Filter)
	for _, p := range list {
		if p.seed {
			seeds.Add(p.addr.Addr())
		} else {
			others.Add(p.addr.Addr())
		}
	}
	return seeds, others
}

// sample returns some of the info hashes (BEP 51), and for how long others are
// not told.
func (s *stored) sample(now time.Time) ([]krpc.ID, time.Duration) {
	s.sweep(now)
	if now.Sub(s.sampled) >= sampleLife {
		s.sampled, s.samples = now, s.samples[:0]
		for hash := range s.torrents {
			s.samples = append(s.samples, hash)
		}
		// The order of a map is no chance that can be repeated.
		slices.SortFunc(s.samples, func(a, b krpc.ID) int {
			if nearer(a, b, krpc.ID{}) {
				return -1
			}
			return 1
		})
		s.rand.Shuffle(len(s.samples), func(i, j int) { s.samples[i], s.samples[j] = s.samples[j], s.samples[i] })
		s.samples = slices.Clone(s.samples[:min(len(s.samples), maxSamples)])
	}
	return s.samples, sampleLife - now.Sub(s.sampled)
}
