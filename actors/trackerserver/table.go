package trackerserver

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// Limits bounds what a Table holds, and what a reply lists. Zero fields take
// the values of DefaultLimits.
type Limits struct {
	Interval time.Duration // between the announces of a peer; half of it is the least
	Torrents int           // announces for further ones are refused
	Peers    int           // of one torrent; further ones are told of peers, but not listed
	Want     int           // peers in a reply to an announce without numwant
	MaxWant  int           // peers in any reply

	// Only, if not nil, are the torrents that are served; others are refused.
	Only map[metainfo.Hash]bool
}

// DefaultLimits suit a tracker that is open to everybody. A full table takes
// about 200 bytes a peer.
var DefaultLimits = Limits{
	Interval: 30 * time.Minute,
	Torrents: 10_000,
	Peers:    5_000,
	Want:     50,
	MaxWant:  200,
}

// maxScrape is how many torrents a scrape that names none may list.
const maxScrape = 100

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		to *int
		or int
	}{
		{&l.Torrents, DefaultLimits.Torrents}, {&l.Peers, DefaultLimits.Peers},
		{&l.Want, DefaultLimits.Want}, {&l.MaxWant, DefaultLimits.MaxWant},
	} {
		if *f.to <= 0 {
			*f.to = f.or
		}
	}
	if l.Interval <= 0 {
		l.Interval = DefaultLimits.Interval
	}
	return l
}

// Table is what a tracker knows: which peers take part in which torrents. A
// table that is lost fills again with the peers' next announces; the counts of
// completed downloads begin anew.
type Table struct {
	limits Limits
	swarms map[metainfo.Hash]*swarm
}

// swarm is the peers of one torrent. The table keeps no empty swarm.
type swarm struct {
	peers     []*peer
	index     map[key]int // into peers
	seeders   int
	completed int // peers that announced `completed`
}

// key tells peers apart. The address is a part of it, so that nobody replaces
// another peer by announcing its id; a peer with two addresses is listed twice.
type key struct {
	id   [20]byte
	addr netip.Addr
}

type peer struct {
	key
	port      uint16
	seed      bool
	completed bool      // it announced `completed`
	seen      time.Time // when it announced last
}

// NewTable returns an empty table.
func NewTable(l Limits) *Table {
	return &Table{limits: l.withDefaults(), swarms: map[metainfo.Hash]*swarm{}}
}

// Announce enters the peer that announces from an address, and replies with
// other peers, drawn by rnd. The request may name another address of its peer,
// which counts only if it comes from this machine or a private network: peers
// there have addresses of no use to others.
func (t *Table) Announce(r announce.Request, from netip.Addr, now time.Time, rnd *rand.Rand) announce.Reply {
	if t.limits.Only != nil && !t.limits.Only[r.InfoHash] {
		return announce.Reply{Failure: "this torrent is not served here"}
	}
	me := key{r.PeerID, address(r, from)}
	s := t.swarms[r.InfoHash]
	if s == nil {
		s = &swarm{index: map[key]int{}}
	}
	if r.Event == announce.Stopped {
		s.remove(me)
		t.keep(r.InfoHash, s)
		return t.reply(s)
	}
	if len(s.peers) == 0 && len(t.swarms) >= t.limits.Torrents {
		return announce.Reply{Failure: "the tracker is full"}
	}
	s.enter(me, r, now, t.limits.Peers)
	t.keep(r.InfoHash, s)
	want := r.NumWant
	if want < 0 {
		want = t.limits.Want
	}
	reply := t.reply(s)
	reply.Peers = s.draw(min(want, t.limits.MaxWant), me, r.Left == 0, rnd)
	return reply
}

// address is at which other peers can reach the one that announces.
func address(r announce.Request, from netip.Addr) netip.Addr {
	from = from.Unmap().WithZone("")
	trusted := from.IsLoopback() || from.IsPrivate() || from.IsLinkLocalUnicast()
	given := r.IP
	if !given.IsValid() {
		given = r.IPv6
	}
	if trusted && given.IsValid() && !given.IsUnspecified() && !given.IsMulticast() {
		return given
	}
	return from
}

func (t *Table) reply(s *swarm) announce.Reply {
	return announce.Reply{
		Interval:    t.limits.Interval,
		MinInterval: t.limits.Interval / 2,
		Seeders:     s.seeders,
		Leechers:    len(s.peers) - s.seeders,
	}
}

// keep stores a swarm that has peers, and drops one that has none.
func (t *Table) keep(h metainfo.Hash, s *swarm) {
	if len(s.peers) > 0 {
		t.swarms[h] = s
	} else {
		delete(t.swarms, h)
	}
}

func (s *swarm) enter(k key, r announce.Request, now time.Time, most int) {
	i, known := s.index[k]
	if !known {
		if len(s.peers) >= most {
			return
		}
		i = len(s.peers)
		s.peers = append(s.peers, &peer{key: k})
		s.index[k] = i
	}
	p := s.peers[i]
	p.port, p.seen = r.Port, now
	s.setSeed(p, r.Left == 0)
	if r.Event == announce.Completed && !p.completed {
		p.completed = true
		s.completed++
	}
}

func (s *swarm) setSeed(p *peer, seed bool) {
	if p.seed != seed {
		p.seed = seed
		if seed {
			s.seeders++
		} else {
			s.seeders--
		}
	}
}

func (s *swarm) remove(k key) {
	i, known := s.index[k]
	if !known {
		return
	}
	s.setSeed(s.peers[i], false)
	last := len(s.peers) - 1
	s.swap(i, last)
	s.peers[last] = nil
	s.peers = s.peers[:last]
	delete(s.index, k)
}

func (s *swarm) swap(i, j int) {
	s.peers[i], s.peers[j] = s.peers[j], s.peers[i]
	s.index[s.peers[i].key], s.index[s.peers[j].key] = i, j
}

// draw returns up to n other peers, each with the same chance; to a seed, no
// seeds. It shuffles the list only as far as it reads it.
func (s *swarm) draw(n int, me key, seed bool, rnd *rand.Rand) []announce.Peer {
	var drawn []announce.Peer
	for i := 0; i < len(s.peers) && len(drawn) < n; i++ {
		s.swap(i, i+rnd.IntN(len(s.peers)-i))
		p := s.peers[i]
		if p.key == me || seed && p.seed {
			continue
		}
		drawn = append(drawn, announce.Peer{Addr: netip.AddrPortFrom(p.addr, p.port), ID: p.id, HasID: true})
	}
	return drawn
}

// Expire forgets the peers that have not announced for two intervals.
func (t *Table) Expire(now time.Time) {
	for h, s := range t.swarms {
		for i := len(s.peers) - 1; i >= 0; i-- { // backwards, as remove moves the last peer into the gap
			if now.Sub(s.peers[i].seen) > 2*t.limits.Interval {
				s.remove(s.peers[i].key)
			}
		}
		t.keep(h, s)
	}
}

// Scrape counts the peers of the given torrents, or of all if none is given
// (BEP 48). Torrents without peers are left out. Of more than maxScrape
// torrents it does not list all.
func (t *Table) Scrape(hashes []metainfo.Hash) (map[metainfo.Hash]announce.Stats, error) {
	files := map[metainfo.Hash]announce.Stats{}
	if len(hashes) == 0 {
		if len(t.swarms) > maxScrape {
			return nil, errors.New("a scrape must name its torrents")
		}
		for h, s := range t.swarms {
			files[h] = s.stats()
		}
	}
	for _, h := range hashes {
		if s := t.swarms[h]; s != nil {
			files[h] = s.stats()
		}
	}
	return files, nil
}

func (s *swarm) stats() announce.Stats {
	return announce.Stats{Seeders: s.seeders, Leechers: len(s.peers) - s.seeders, Completed: s.completed}
}
