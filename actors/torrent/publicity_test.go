package torrent

import (
	"net/netip"
	"testing"
	"time"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

func TestPublicity(t *testing.T) {
	all, none := messages.SetPublicity{Exchange: true, Metadata: true, DHT: true}, messages.SetPublicity{}
	unlisted := messages.SetPublicity{Exchange: true, Metadata: true}
	for name, c := range map[string]struct {
		trackers string // one a tier; empty: none
		peer     string
		link     string // host of a peer of the magnet link; empty: there is none
		options  messages.TorrentOptions
		private  bool
		want     messages.SetPublicity
	}{
		"a tracker outside":                {trackers: "http://tracker.example/announce", want: all},
		"a tracker by UDP":                 {trackers: "udp://tracker.example:6969", want: all},
		"nobody is named":                  {want: all},
		"a tracker here":                   {trackers: "http://127.0.0.1:6969/announce", want: unlisted},
		"a tracker at another loopback":    {trackers: "udp://127.9.8.7:6969", want: unlisted},
		"a tracker by IPv6":                {trackers: "http://[::1]:6969/announce", want: unlisted},
		"a tracker mapped into IPv6":       {trackers: "http://[::ffff:127.0.0.1]:6969/announce", want: unlisted},
		"a tracker by name":                {trackers: "http://localhost:6969/announce", want: unlisted},
		"a tracker by the whole name":      {trackers: "http://LocalHost.:6969/announce", want: unlisted},
		"a tracker by a name below":        {trackers: "http://one.localhost/announce", want: unlisted},
		"a tracker at no address":          {trackers: "http://0.0.0.0:6969/announce", want: unlisted},
		"a tracker that cannot be asked":   {trackers: "wss://localhost", want: unlisted},
		"a name that only looks like it":   {trackers: "http://localhost.example/announce", want: all},
		"an address in a user part":        {trackers: "http://127.0.0.1@tracker.example/announce", want: all},
		"a network of our own":             {trackers: "http://192.168.1.2/announce", want: all},
		"a peer here":                      {peer: "127.0.0.1:1", want: unlisted},
		"a peer outside":                   {peer: "192.0.2.1:1", want: all},
		"a tracker here, a peer outside":   {trackers: "http://127.0.0.1/announce", peer: "192.0.2.1:1", want: all},
		"a tracker outside, a peer here":   {trackers: "http://tracker.example/announce", peer: "[::1]:1", want: all},
		"a peer of the link here":          {link: "127.0.0.1", want: unlisted},
		"a peer of the link here by name":  {link: "localhost", want: unlisted},
		"a peer of the link outside":       {link: "192.0.2.1", want: all},
		"a peer of the link by name":       {link: "peer.example", want: all},
		"a peer here, the link's outside":  {peer: "127.0.0.1:1", link: "2001:db8::1", want: all},
		"a tracker here, the link's peer":  {trackers: "http://127.0.0.1/announce", link: "::1", want: unlisted},
		"here, but the DHT is on":          {trackers: "http://127.0.0.1/announce", options: messages.TorrentOptions{DHT: messages.DHTOn}, want: all},
		"outside, but the DHT is off":      {trackers: "http://tracker.example/announce", options: messages.TorrentOptions{DHT: messages.DHTOff}, want: unlisted},
		"no exchange":                      {options: messages.TorrentOptions{NoPEX: true}, want: messages.SetPublicity{Metadata: true, DHT: true}},
		"private":                          {trackers: "http://tracker.example/announce", private: true, want: none},
		"private, but the DHT is on":       {options: messages.TorrentOptions{DHT: messages.DHTOn}, private: true, want: none},
		"automatic, as the user may write": {options: messages.TorrentOptions{DHT: messages.DHTAuto}, want: all},
	} {
		if c.peer != "" {
			c.options.Peers = append(c.options.Peers, netip.MustParseAddrPort(c.peer))
		}
		if c.link != "" {
			c.options.LinkHosts = []string{c.link} // as of one that may not be tried
		}
		torrent := &metainfo.Torrent{Private: c.private}
		if c.trackers != "" {
			torrent.Announce = [][]string{{c.trackers}}
		}
		added := &messages.AddTorrent{Announce: metainfo.Supported(torrent.Announce), Torrent: torrent, Options: c.options}
		s := newState(added, 0, time.Time{})
		if got := s.publicity(); *got != c.want {
			t.Errorf("%s: %+v, want %+v", name, *got, c.want)
		}

		// By the hash alone it cannot be known that the torrent is private, and there
		// is no metadata to be sent.
		added.Torrent, added.Announce = nil, torrent.Announce
		s, c.want.Metadata = newState(added, 0, time.Time{}), false
		if got := s.publicity(); !c.private && *got != c.want {
			t.Errorf("%s, by the hash alone: %+v, want %+v", name, *got, c.want)
		}
		if got := s.publicity(); c.private && !(got.Exchange && got.DHT) {
			t.Errorf("%s, by the hash alone: %+v", name, *got)
		}
	}
}

// When the metainfo says that a torrent is private, peers hear so before they
// are told the metainfo.
func TestPublicityIsWithdrawnFromAPrivateTorrent(t *testing.T) {
	s, torrent := newHashScene(t, messages.TorrentOptions{})
	private := *torrent
	private.Private = true
	s.Tell(&messages.QueryCandidates{})
	if m := stage.Next[*messages.SetPublicity](s.engine); !m.Exchange || !m.DHT {
		t.Errorf("at first peers are told %+v", m)
	}
	stage.Await[*messages.SetDialing](s.engine)
	s.Tell(&messages.SetMetainfo{Torrent: &private})
	if m := stage.Next[*messages.SetPublicity](s.engine); *m != (messages.SetPublicity{}) {
		t.Errorf("then peers are told %+v", m)
	}
	stage.Next[*messages.SetMetainfo](s.engine)
}

// The peers of a private torrent are those of the tracker that replies: when it
// is another, we part from all.
func TestAPrivateTorrentPartsFromThePeersOfAnotherTracker(t *testing.T) {
	user, found := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:2")
	s, torrent := newHashScene(t, messages.TorrentOptions{Peers: []netip.AddrPort{user}})
	private := *torrent
	private.Private = true
	s.Tell(&messages.SetMetainfo{Torrent: &private})
	stage.Await[*messages.SetMetainfo](s.engine)
	replies := func(tier int, url string) {
		s.Tell(&messages.TrackerReplied{Tier: tier, URL: url, Event: announce.Started})
		s.Tell(&messages.PeersFound{Addrs: []messages.PeerAddr{{Addr: found, Source: messages.TrackerTier(tier)}}})
	}
	for range 2 {
		replies(0, "http://a/announce")
		stage.Next[*messages.AddCandidates](s.engine)
	}
	replies(0, "http://a.second/announce")
	stage.Next[*messages.ForgetPeers](s.engine)
	stage.Next[*messages.AddCandidates](s.engine)

	s.Tell(&messages.TrackerReplied{URL: "http://b/announce", Tier: 1})
	stage.Next[*messages.ForgetPeers](s.engine)
	s.Tell(&messages.QueryCandidates{})
	if m := stage.Await[*messages.AddCandidates](s.engine); len(m.Addrs) != 1 || m.Addrs[0].Addr != user {
		t.Errorf("peers are told of %v", m.Addrs)
	}
}

func TestATorrentThatIsNotPrivateKeepsThePeersOfAllTrackers(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	s.Tell(&messages.TrackerReplied{URL: "http://a/announce", Event: announce.Started})
	s.Tell(&messages.TrackerReplied{Tier: 1, URL: "http://b/announce"})
	s.Quiet(s.engine)
}
