package trackerserver

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// Limits bounds what a Table holds, and what a reply lists. Zero fields take
// the values of DefaultLimits. Nobody is refused at a limit: what was announced
// longest ago makes room, of the host that has the most.
type Limits struct {
	Interval  time.Duration // between the announces of a peer; half of it is the least
	Torrents  int           // in all
	Peers     int           // of one torrent
	HostPeers int           // of one host in one torrent, see messages.HostOf
	AllPeers  int           // of all torrents
	Want      int           // peers in a reply to an announce without numwant
	MaxWant   int           // peers in any reply

	// Only, if not nil, are the torrents that are served; others are refused.
	Only map[metainfo.Hash]bool

	// Trusted are the networks of those who may name another address as that of
	// the peer: by `ip=` in an announce, or a reverse proxy by X-Forwarded-For.
	Trusted []netip.Prefix
}

// DefaultLimits suit a tracker that is open to everybody. A full table takes
// about 110 MB, see TestWhatAPeerCosts.
var DefaultLimits = Limits{
	Interval:  30 * time.Minute,
	Torrents:  10_000,
	Peers:     5_000,
	HostPeers: 50,
	AllPeers:  300_000,
	Want:      50,
	MaxWant:   200,
}

// maxScrape is how many torrents a scrape that names none may list.
const maxScrape = 100

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		to *int
		or int
	}{
		{&l.Torrents, DefaultLimits.Torrents}, {&l.Peers, DefaultLimits.Peers},
		{&l.HostPeers, DefaultLimits.HostPeers}, {&l.AllPeers, DefaultLimits.AllPeers},
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
	limits    Limits
	swarms    map[metainfo.Hash]*entry[swarm]
	founded   *shares[swarm] // by the host that announced the torrent; everybody's, once others are in it
	peers     *shares[peer]  // by the host that announced the peer
	finished  finished
	announces uint64 // of torrents that are served
	stamp     int64  // of the last announce
	round     int32  // number of the last draw
}

// NewTable returns an empty table.
func NewTable(l Limits) *Table {
	return &Table{
		limits: l.withDefaults(), swarms: map[metainfo.Hash]*entry[swarm]{},
		founded: newShares[swarm](), peers: newShares[peer](),
	}
}

// Counts sum a table up.
type Counts struct {
	Torrents, Peers, Seeds int
	Announces              uint64 // since the table is empty
}

// Counts sums the table up.
func (t *Table) Counts() Counts {
	c := Counts{Torrents: len(t.swarms), Announces: t.announces}
	for _, e := range t.swarms {
		c.Peers += len(e.item.peers)
		c.Seeds += e.item.seeders
	}
	return c
}

// Announce enters the peer that announces from an address, and replies with
// other peers, drawn by rnd.
func (t *Table) Announce(r announce.Request, from netip.Addr, now time.Time, rnd *rand.Rand) announce.Reply {
	return t.announce(r, from, now, rnd, func(netip.Addr) bool { return true })
}

// announce lists only peers at addresses that fit into the reply.
func (t *Table) announce(r announce.Request, from netip.Addr, now time.Time, rnd *rand.Rand, fits func(netip.Addr) bool) announce.Reply {
	if t.limits.Only != nil && !t.limits.Only[r.InfoHash] {
		return announce.Reply{Failure: "this torrent is not served here"}
	}
	t.announces++
	me := key{r.PeerID, t.limits.address(r, from).As16()}
	s := t.swarms[r.InfoHash]
	if r.Event == announce.Stopped {
		if s == nil {
			return t.reply(&swarm{})
		}
		if p := s.item.index[me]; p != nil {
			t.remove(p)
		}
		return t.reply(&s.item)
	}
	t.stamp = max(t.stamp+1, now.UnixNano())
	host := messages.HostOf(from)
	if s == nil {
		s = t.found(r.InfoHash, host)
	}
	t.enter(s, me, host, r)
	want := r.NumWant
	if want < 0 {
		want = t.limits.Want
	}
	reply := t.reply(&s.item)
	reply.Peers = t.draw(&s.item, min(want, t.limits.MaxWant), me, r.Left == 0, fits, rnd)
	return reply
}

func (t *Table) reply(s *swarm) announce.Reply {
	return announce.Reply{
		Interval:    t.limits.Interval,
		MinInterval: t.limits.Interval / 2,
		Seeders:     s.seeders,
		Leechers:    len(s.peers) - s.seeders,
	}
}

// found begins a swarm.
func (t *Table) found(torrent metainfo.Hash, host netip.Addr) *entry[swarm] {
	s := &entry[swarm]{item: swarm{torrent: torrent, index: map[key]*entry[peer]{}}}
	t.swarms[torrent] = s
	t.founded.add(host, s, t.stamp)
	for t.founded.total > t.limits.Torrents {
		t.drop(t.founded.first())
	}
	return s
}

// enter lists a peer, or what is new of it. What makes room for it is older.
func (t *Table) enter(s *entry[swarm], k key, host netip.Addr, r announce.Request) {
	p := s.item.index[k]
	if p != nil {
		t.peers.touch(p, t.stamp)
	} else {
		p = &entry[peer]{item: peer{key: k, swarm: s}}
		s.item.list(p)
		t.peers.add(host, p, t.stamp)
		if n, oldest := s.item.of(p.holder); n > t.limits.HostPeers {
			t.remove(oldest)
		}
		if len(s.item.peers) > t.limits.Peers {
			t.remove(slices.MinFunc(s.item.peers, func(a, b *entry[peer]) int { return cmp.Compare(a.stamp, b.stamp) }))
		}
		for t.peers.total > t.limits.AllPeers {
			t.remove(t.peers.first())
		}
	}
	if founder := s.holder.host; founder != host && founder != everybody {
		t.founded.remove(s)
		t.founded.add(everybody, s, t.stamp)
	} else {
		t.founded.touch(s, t.stamp)
	}
	p.item.port = r.Port
	s.item.setSeed(p, r.Left == 0)
	if r.Event == announce.Completed && t.finished.count(r.InfoHash, host, k.id) {
		s.item.completed++
	}
}

// remove forgets a peer, and its torrent with its last peer.
func (t *Table) remove(p *entry[peer]) {
	s := p.item.swarm
	s.item.unlist(p)
	t.peers.remove(p)
	if len(s.item.peers) == 0 {
		delete(t.swarms, s.item.torrent)
		t.founded.remove(s)
	}
}

// drop forgets a torrent with all its peers.
func (t *Table) drop(s *entry[swarm]) {
	for i := len(s.item.peers) - 1; i >= 0; i-- {
		t.remove(s.item.peers[i])
	}
}

// draw returns up to n other peers whose addresses fit, each with the same
// chance, but of one host no more than a quarter while there are others; to a
// seed, no seeds. It shuffles the list only as far as it reads it.
func (t *Table) draw(s *swarm, n int, me key, seed bool, fits func(netip.Addr) bool, rnd *rand.Rand) []announce.Peer {
	var drawn, further []announce.Peer
	t.round++
	for i := 0; i < len(s.peers) && len(drawn) < n; i++ {
		s.swap(i, i+rnd.IntN(len(s.peers)-i))
		p, h := &s.peers[i].item, s.peers[i].holder
		addr := netip.AddrFrom16(p.addr).Unmap()
		if p.key == me || seed && p.seed || !fits(addr) {
			continue
		}
		if h.round != t.round {
			h.round, h.given = t.round, 0
		}
		h.given++
		to := &drawn
		if int(h.given) > max(1, n/4) {
			to = &further
		}
		*to = append(*to, announce.Peer{Addr: netip.AddrPortFrom(addr, p.port), ID: p.id, HasID: true})
	}
	return append(drawn, further[:min(len(further), n-len(drawn))]...)
}

// Expire forgets the peers that have not announced for two intervals, host by
// host in the order of their oldest: the order decides where others are listed,
// and a simulated run must be the same for its seed.
func (t *Table) Expire(now time.Time) {
	expired := func(p *entry[peer]) bool { return p != nil && now.UnixNano()-p.stamp > int64(2*t.limits.Interval) }
	var hosts []*holder[peer]
	for _, h := range t.peers.holders {
		if expired(h.oldest) {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b *holder[peer]) int { return cmp.Compare(a.oldest.stamp, b.oldest.stamp) })
	for _, h := range hosts {
		for p := h.oldest; expired(p); p = h.oldest {
			t.remove(p)
		}
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
			files[h] = s.item.stats()
		}
	}
	for _, h := range hashes {
		if s := t.swarms[h]; s != nil {
			files[h] = s.item.stats()
		}
	}
	return files, nil
}
