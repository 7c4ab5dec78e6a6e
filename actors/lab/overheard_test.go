package lab

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"kouzui/wire/krpc"
)

// hamlet is a small DHT in which some nodes announce and look.
const hamlet = `
content = "16 KiB"
until = "12m"

[[class]]
name = "router"
bare = true
count = 3
delay = "10ms"

[[class]]
name = "seeker"
bare = true
count = 12
delay = "10ms"
search = "1m"
`

// Each of these breaks, in what is judged, one thing that must hold of a DHT,
// and that must be noticed.
func TestTheDHTIsOverheard(t *testing.T) {
	stranger := netip.MustParseAddrPort("151.1.2.3:6881")
	for name, tc := range map[string]struct {
		krpc func(o *overheard, m *krpc.Message, leaves bool, now *time.Duration)
		says string // a part of what is to be said
	}{
		"it tells of a node that it has only heard of": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && len(m.Nodes) > 0 {
					m.Nodes[0].Addr = stranger
				}
			}, "151.1.2.3:6881, which has never answered",
		},
		"it remembers nodes that refuse it": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if !leaves && m.Kind == krpc.Reply {
					m.Kind = krpc.Error
				}
				m.Nodes = nil // or so much is wrong that this is not said
			}, "it remembers a node at ",
		},
		"it counts nodes that have not answered what was asked": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if !leaves && m.Kind == krpc.Reply {
					m.Transaction = []byte("??")
				}
				m.Nodes = nil
			}, ", of which 0 have ever answered",
		},
		"it takes an invented token": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if !leaves && m.Method == krpc.AnnouncePeer {
					m.Token = []byte("invented")
				}
			}, "was not given in the last 10m0s",
		},
		"it takes an old token": {
			func(_ *overheard, m *krpc.Message, leaves bool, now *time.Duration) {
				if leaves && m.Token != nil && m.Kind == krpc.Reply {
					*now -= longestToken + time.Second
				}
			}, "was not given in the last 10m0s",
		},
		"it takes another's token": {
			func(o *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && m.Token != nil && m.Kind == krpc.Reply {
					o.tokens[given{stranger.Addr(), string(m.Token)}] = 0
					m.Token = nil
				}
			}, "was not given in the last 10m0s",
		},
		"it tells of a peer that has not announced itself": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && len(m.Values) > 0 {
					m.Values[0] = stranger
				}
			}, "a peer at 151.1.2.3:6881, which has not announced itself",
		},
		"it tells of a peer that has gone": {
			func(_ *overheard, m *krpc.Message, leaves bool, now *time.Duration) {
				if !leaves && m.Method == krpc.AnnouncePeer {
					*now -= longestAnnounce + time.Minute
				}
			}, "which has not announced itself in the last 45m0s",
		},
		"it keeps what nobody has announced": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if !leaves && m.Method == krpc.AnnouncePeer {
					m.Method = krpc.Ping
				}
			}, "and 0 with 0 were announced",
		},
		"it tells of many peers at one host": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && len(m.Values) > 0 {
					for port := range uint16(mostOfOneHost) {
						m.Values = append(m.Values, netip.AddrPortFrom(m.Values[0].Addr(), port+1))
					}
				}
			}, "more than 5 peers at ",
		},
		"it tells of too many peers": {
			func(_ *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && len(m.Values) > 0 {
					m.Values = append(m.Values, make([]netip.AddrPort, mostPeersTold)...)
				}
			}, "peers at once",
		},
		"it announces a private torrent": {
			func(o *overheard, m *krpc.Message, leaves bool, _ *time.Duration) {
				if leaves && m.Method == krpc.AnnouncePeer {
					o.run.content.torrent.Private = true
					m.Target = krpc.ID(o.run.content.torrent.InfoHash)
				}
			}, "it sends announce_peer for a private torrent",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read(hamlet)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Run(s, Options{Seed: 1, tamper: &tamper{krpc: tc.krpc}})
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range r.Wrong {
				if strings.Contains(err.Error(), tc.says) {
					return
				}
			}
			t.Errorf("nobody says %q, but %v", tc.says, r.Wrong)
		})
	}
	t.Run("an honest one", func(t *testing.T) {
		s, err := Read(hamlet)
		if err != nil {
			t.Fatal(err)
		}
		played(t, s, Options{Seed: 1})
	})
}
