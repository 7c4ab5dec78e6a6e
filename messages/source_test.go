package messages

import "testing"

// A private torrent takes peers from its trackers, from the user, and those
// that connect to us (BEP 27); any other torrent takes all.
func TestSources(t *testing.T) {
	for _, tt := range []struct {
		source  Source
		name    string
		private bool // allowed where the torrent is private
	}{
		{TrackerTier(0), "tracker 0", true},
		{TrackerTier(3), "tracker 3", true},
		{Manual, "manual", true},
		{Incoming, "incoming", true},
		{Source{Kind: SourcePEX}, "PEX", false},
		{Source{Kind: SourceDHT}, "DHT", false},
		{Source{Kind: SourceLSD}, "LSD", false},
		{Source{Kind: SourceResume}, "resume data", false},
		{Source{Kind: SourceMagnet}, "magnet", false},
		{WebSeed, "web seed", true},
	} {
		if got := tt.source.String(); got != tt.name {
			t.Errorf("%+v is shown as %q", tt.source, got)
		}
		if !tt.source.Allowed(false) || tt.source.Allowed(true) != tt.private {
			t.Errorf("%v: allowed %v, in a private torrent %v", tt.source, tt.source.Allowed(false), tt.source.Allowed(true))
		}
	}
}
