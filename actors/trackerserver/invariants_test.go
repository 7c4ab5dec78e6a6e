package trackerserver

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// Whatever is announced, counts agree with the list, no reply lists the asking
// peer or a peer twice, and a swarm keeps to its limit.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable(Limits{Interval: time.Minute, Torrents: 3, Peers: 5, HostPeers: 3, AllPeers: 8})
		rnd, now := newRand(), time.Unix(0, 0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			r := from(rapid.ByteRange(0, 7).Draw(t, "id"), rapid.Int64Range(0, 1).Draw(t, "left"))
			r.InfoHash[0] = rapid.ByteRange(0, 4).Draw(t, "torrent")
			r.Event = announce.Event(rapid.IntRange(0, 4).Draw(t, "event"))
			r.NumWant = rapid.IntRange(-1, 6).Draw(t, "numwant")
			if rapid.Bool().Draw(t, "expire") {
				table.Expire(now)
			}
			me := host(rapid.IntRange(0, 4).Draw(t, "host"))
			seen := map[netip.AddrPort]bool{netip.AddrPortFrom(me, r.Port): true}
			for _, p := range table.Announce(r, me, now, rnd).Peers {
				if seen[p.Addr] {
					t.Fatalf("peer %v was given again, or to itself", p.Addr)
				}
				seen[p.Addr] = true
			}
			if err := table.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func (t *Table) check() error {
	if len(t.swarms) > t.limits.Torrents || t.founded.total != len(t.swarms) {
		return fmt.Errorf("%d torrents, %d of hosts", len(t.swarms), t.founded.total)
	}
	peers := 0
	for _, s := range t.swarms {
		peers += len(s.item.peers)
		if err := s.item.check(t.limits); err != nil {
			return err
		}
	}
	if peers != t.peers.total || peers > t.limits.AllPeers {
		return fmt.Errorf("%d peers in torrents, %d of hosts", peers, t.peers.total)
	}
	return cmp.Or(t.peers.check(), t.founded.check())
}

func (s *shares[T]) check() error {
	total := 0
	for i, h := range s.fullest {
		n := 0
		for e, stamp := h.oldest, int64(math.MinInt64); e != nil; e = e.newer {
			if n++; e.stamp <= stamp || e.holder != h {
				return errors.New("a list is out of order")
			}
			stamp = e.stamp
		}
		if n != int(h.count) || n == 0 || int(h.at) != i || s.holders[h.host] != h || s.fullest.Less(i, 0) {
			return fmt.Errorf("holder %d of %d is wrong", i, len(s.fullest))
		}
		total += n
	}
	if total != s.total || len(s.holders) != len(s.fullest) {
		return fmt.Errorf("%d held, %d counted", total, s.total)
	}
	return nil
}

func (s *swarm) check(l Limits) error {
	seeders, of := 0, map[*holder[peer]]int{}
	for i, p := range s.peers {
		if s.index[p.item.key] != p || int(p.item.at) != i {
			return fmt.Errorf("peer %d is indexed as %d", i, p.item.at)
		}
		if p.item.seed {
			seeders++
		}
		if of[p.holder]++; of[p.holder] > l.HostPeers {
			return errors.New("too many peers of a host")
		}
	}
	if len(s.index) != len(s.peers) || seeders != s.seeders || len(s.peers) == 0 || len(s.peers) > l.Peers {
		return fmt.Errorf("%d peers, %d indexed, %d seeds, %d counted", len(s.peers), len(s.index), seeders, s.seeders)
	}
	return nil
}

// Counts are of what is there now; only announces are never taken back.
func TestCounts(t *testing.T) {
	table, rnd := NewTable(Limits{Only: map[metainfo.Hash]bool{hash: true}}), newRand()
	unknown := from(9, 1)
	unknown.InfoHash = metainfo.Hash{2}
	leaving := from(2, 1)
	leaving.Event = announce.Stopped
	for _, r := range []announce.Request{from(1, 0), from(2, 1), from(2, 1), unknown} {
		table.Announce(r, public, start, rnd)
	}
	if got, want := table.Counts(), (Counts{Torrents: 1, Peers: 2, Seeds: 1, Announces: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	table.Announce(leaving, public, start, rnd)
	if got, want := table.Counts(), (Counts{Torrents: 1, Peers: 1, Seeds: 1, Announces: 4}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
