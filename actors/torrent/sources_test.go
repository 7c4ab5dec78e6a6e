package torrent

import (
	"errors"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// Why nobody is connected is said by what is known of addresses, and by what
// the last announce came to.
func TestWhyNobodyIsConnected(t *testing.T) {
	count := func(kind messages.SourceKind, known, silent int) messages.SourceCount {
		return messages.SourceCount{Kind: kind, Known: known, Silent: silent}
	}
	const nobody = "No peer is connected."
	for _, tt := range []struct {
		sources             sources
		why, complaint, say string
	}{
		{nil, nobody, "", nobody},
		{nil, "", "", ""},
		{nil, nobody, "tracker http://a: refused", "tracker http://a: refused"},
		{nil, "", "tracker http://a: refused", "tracker http://a: refused"},
		{sources{count(messages.SourceTracker, 8, 8), count(messages.SourcePEX, 4, 4)}, nobody, "",
			"No peer is connected: 12 addresses known, 8 from trackers, 4 from peer exchange, and none answers."},
		{sources{count(messages.SourceManual, 1, 1)}, nobody, "", "No peer is connected: 1 address known, 1 given by hand, and it does not answer."},
		{sources{count(messages.SourceDHT, 2, 1), count(messages.SourceMagnet, 1, 1)}, nobody, "slow down",
			"No peer is connected: 3 addresses known, 2 from the DHT, 1 from the magnet link, and 2 of them do not answer. Last announce: slow down"},
		{sources{count(messages.SourceTracker, 2, 0), {Kind: messages.SourceIncoming, Connected: 1}}, nobody, "",
			"No peer is connected: 2 addresses known, 2 from trackers."},
		{sources{count(messages.SourceTracker, 2, 1)}, nobody, "",
			"No peer is connected: 2 addresses known, 2 from trackers, and one of them does not answer."},
		{sources{count(messages.SourceTracker, 2, 0)}, "", "", ""},
	} {
		s := &state{sources: tt.sources, announcing: announcing{complaint: tt.complaint}}
		if got := s.whyAlone(tt.why); got != tt.say {
			t.Errorf("it says %q, want %q", got, tt.say)
		}
	}
}

// A torrent that is looked for in the DHT says how many nodes that knows.
func TestWhyNobodyIsConnectedByTheDHT(t *testing.T) {
	for _, tt := range []struct {
		nodes               int
		why, complaint, say string
	}{
		{0, "", "", ""},
		{0, "No peer is connected.", "", "No peer is connected. The DHT knows no nodes."},
		{1, "No peer is connected.", "", "No peer is connected. The DHT knows 1 node."},
		{47, "No peer is connected.", "tracker http://a: refused", "tracker http://a: refused; the DHT knows 47 nodes"},
	} {
		s := &state{announcing: announcing{complaint: tt.complaint}, searching: searching{begun: true, nodes: tt.nodes}}
		s.to.dht[messages.IPv6] = actor.NewPID("here", "dht-6")
		if got := s.whyAlone(tt.why); got != tt.say {
			t.Errorf("it says %q, want %q", got, tt.say)
		}
	}
}

// Progress has the counts that peers told last, until peers is restarted; what
// the disk refuses is said before that nobody is connected.
func TestProgressSaysWherePeersCameFrom(t *testing.T) {
	s := newScene(t, messages.TorrentOptions{})
	progress := func(why string) *messages.Progress {
		s.Tell(&messages.Progress{At: s.World.Clock.Now(), State: messages.StateDownloading, Left: 400, Why: why})
		return stage.Next[*messages.Progress](s.session)
	}
	s.Tell(&messages.SourcesCounted{Sources: []messages.SourceCount{{Kind: messages.SourceDHT, Known: 3}}})
	if p := progress("No peer is connected."); len(p.Sources) != 1 || p.Why != "No peer is connected: 3 addresses known, 3 from the DHT." {
		t.Errorf("it reports %+v", p)
	}
	s.Tell(&messages.StoreFailed{Err: errors.New("a fault")})
	if p := progress("The disk does not store."); p.Why != "The disk does not store." {
		t.Errorf("it says %q", p.Why)
	}
	s.Tell(&messages.QueryCandidates{})
	if p := progress(""); len(p.Sources) != 0 {
		t.Errorf("it reports %+v", p.Sources)
	}
}
