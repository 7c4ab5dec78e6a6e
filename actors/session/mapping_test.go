package session

import (
	"net/netip"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// withMapper is a session that listens, with a probe for the mapper.
func withMapper(t *testing.T) (r *registry, mapper *actor.PID) {
	mapper = actor.NewPID("", "mapper")
	r = newRegistry(messages.Refs{Mapper: mapper, Listener: actor.NewPID("", "listener"), Torrents: actor.NewPID("", "torrents")}, 30<<20, "", func(string) int { return 0 })
	r.listed(&messages.TorrentsListed{})
	return r, mapper
}

// sent are the messages of a type that have been sent since the last call.
func sent[T any](r *registry, to *actor.PID) (all []T) {
	r.out.Flush(func(pid *actor.PID, m any) {
		if wanted, is := m.(T); is && pid.Equal(to) {
			all = append(all, wanted)
		}
	})
	return all
}

// TestWhenAPortIsMapped: once we listen where a router could reach us, while
// others can hear of a torrent, and not at the end.
func TestWhenAPortIsMapped(t *testing.T) {
	everywhere := netip.MustParseAddrPort("[::]:6881")
	for name, c := range map[string]struct {
		at     string
		abroad bool
		want   bool
	}{
		"everywhere":            {"[::]:6881", true, true},
		"everywhere, IPv4":      {"0.0.0.0:6881", true, true},
		"at one address":        {"192.168.1.7:6881", true, true},
		"at loopback":           {"127.0.0.1:6881", true, false},
		"at loopback, IPv6":     {"[::1]:6881", true, false},
		"at IPv6 alone":         {"[2001:db8::7]:6881", true, false},
		"nobody hears of it":    {"[::]:6881", false, false},
		"at loopback, nobody":   {"127.0.0.1:6881", false, false},
		"in a network, nobody":  {"10.0.0.1:6881", false, false},
		"an address of IPv4in6": {"[::ffff:192.168.1.7]:6881", true, true},
	} {
		r, mapper := withMapper(t)
		torrent, _ := stage.Torrent(t, 1000, 16<<10)
		r.add(&messages.AddTorrent{Run: 1, InfoHash: torrent.InfoHash, Torrent: torrent, Abroad: c.abroad})
		if all := sent[*messages.SetMapping](r, mapper); len(all) > 0 {
			t.Errorf("%s: %+v before it listens", name, all)
		}
		at := netip.MustParseAddrPort(c.at)
		r.listening(&messages.ListenerReady{Addr: at})
		all := sent[*messages.SetMapping](r, mapper)
		want := messages.SetMapping{Inner: at, Outer: 6881}
		if mapped := len(all) == 1 && *all[0] == want; mapped != c.want || !mapped && len(all) > 0 {
			t.Errorf("%s: told %+v", name, all)
		}
	}

	r, mapper := withMapper(t)
	r.listening(&messages.ListenerReady{Addr: everywhere})
	torrent, _ := stage.Torrent(t, 1000, 16<<10)
	for _, end := range []bool{false, true} {
		r.add(&messages.AddTorrent{Run: 1, InfoHash: torrent.InfoHash, Torrent: torrent, Abroad: true})
		if all := sent[*messages.SetMapping](r, mapper); len(all) != 1 || all[0].Inner != everywhere {
			t.Errorf("a torrent that came later: %+v", all)
		}
		if end {
			r.endMapping(&messages.QueryUnmapped{})
			r.tellMapper(r.wantedMapping()) // a mapper that died has started
		} else {
			r.ended(1, torrent.InfoHash, &messages.TorrentDone{InfoHash: torrent.InfoHash})
		}
		if all := sent[*messages.SetMapping](r, mapper); len(all) != 1 || all[0].Inner.IsValid() {
			t.Errorf("at the end: %+v", all)
		}
	}
}

// TestThePortOfTheRouterIsTold: to torrents that run, and to those that start
// later. The address is one vote.
func TestThePortOfTheRouterIsTold(t *testing.T) {
	inner, router := netip.MustParseAddrPort("0.0.0.0:6881"), netip.MustParseAddr("192.168.1.1")
	for name, c := range map[string]struct {
		outer string
		inner string
		want  uint16
	}{
		"another port":                 {"203.0.113.9:7001", "0.0.0.0:6881", 7001},
		"the same":                     {"203.0.113.9:6881", "0.0.0.0:6881", 6881},
		"there is another router":      {"192.168.0.7:7001", "0.0.0.0:6881", 6881},
		"that of the provider":         {"100.64.1.1:7001", "0.0.0.0:6881", 6881},
		"where we listened before":     {"203.0.113.9:7001", "0.0.0.0:6880", 6881},
		"the router tells no address":  {"", "0.0.0.0:6881", 7001},
		"there is no mapping any more": {"none", "0.0.0.0:6881", 6881},
	} {
		r, _ := withMapper(t)
		pid := actor.NewPID("", "torrent")
		torrent, _ := stage.Torrent(t, 1000, 16<<10)
		r.add(&messages.AddTorrent{Run: 1, InfoHash: torrent.InfoHash, Torrent: torrent, Abroad: true})
		r.listening(&messages.ListenerReady{Addr: inner})
		r.started(&messages.TorrentStarted{InfoHash: torrent.InfoHash, Torrent: pid})
		sent[any](r, pid)
		m := &messages.PortMapped{Inner: netip.MustParseAddrPort(c.inner), Router: router}
		switch c.outer {
		case "none":
		case "":
			m.Outer = netip.AddrPortFrom(netip.Addr{}, 7001)
		default:
			m.Outer = netip.MustParseAddrPort(c.outer)
		}
		r.portMapped(m)
		all := sent[*messages.SetListenPort](r, pid)
		if changed := c.want != inner.Port(); changed != (len(all) == 1) || changed && all[0].Port != c.want {
			t.Errorf("%s: told %v, want %d", name, all, c.want)
		}
		if r.port() != c.want {
			t.Errorf("%s: later ones are told %d, want %d", name, r.port(), c.want)
		}
		if votes := len(r.election.votes[messages.IPv4]); votes > 1 || (votes == 1) != m.Outer.Addr().IsValid() || r.election.ours[messages.IPv4].IsValid() {
			t.Errorf("%s: %d votes, which make %v", name, votes, r.election.ours)
		}
		before := len(r.election.votes[messages.IPv4])
		if r.portMapped(m); len(r.election.votes[messages.IPv4]) != before {
			t.Errorf("%s: the router has voted twice", name)
		}
	}
}
