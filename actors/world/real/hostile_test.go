package real

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"kouzui/actors/lab/hostile"
	"kouzui/wire/announce"
)

// maxCost is how many bytes an announce may allocate in total. Most of them are
// for the text, which grows while it is read.
const maxCost = 64 << 20

// Whatever a tracker does, an announce ends in time, within bounds, with a
// reply that can be used or with one line about what went wrong.
func TestHostileTrackers(t *testing.T) {
	for _, tracker := range hostile.Trackers() {
		t.Run(tracker.Name, func(t *testing.T) {
			served, err := tracker.Serve(t.Context())
			must(t, err)
			timeout := long
			if tracker.Hangs {
				timeout = short
			}
			h := NewHTTP(HTTPOptions{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			reply, failed := ask(t, h, served.URL, timeout)
			runtime.ReadMemStats(&after)
			if cost := after.TotalAlloc - before.TotalAlloc; cost > maxCost {
				t.Errorf("it costs %d bytes", cost)
			}
			if (failed == nil) != (tracker.Fails == "") || failed != nil && failed.Phase != tracker.Fails {
				t.Fatalf("got %v, want phase %q", failed, tracker.Fails)
			}
			if failed != nil {
				text := failed.Error()
				if len(text) > announce.MaxText+100 || strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsRune(text, '\u202e') {
					t.Errorf("it says %q", text)
				}
			}
			if tracker.Hangs && !strings.HasSuffix(failed.Error(), "timed out") {
				t.Errorf("got %v", failed)
			}
			if len(reply.Peers) > announce.MaxPeers || reply.Interval < announce.LeastInterval && failed == nil || reply.Interval > announce.MostInterval ||
				reply.MinInterval < 0 || reply.MinInterval > announce.MostInterval || len(reply.Warning) > announce.MaxText {
				t.Errorf("%d peers, %v, %v, %d bytes of warning", len(reply.Peers), reply.Interval, reply.MinInterval, len(reply.Warning))
			}
			for _, p := range reply.Peers {
				if a := p.Addr.Addr(); p.Addr.Port() == 0 || !a.IsLoopback() || a == netip.IPv4Unspecified() {
					t.Errorf("peer %v", p.Addr)
				}
			}
			if n := served.Announces(); n > 1+maxRedirects {
				t.Errorf("it was asked %d times", n)
			}
		})
	}
}

// A server that is slow to accept a connection, or slow with TLS, delays an
// announce no longer than its timeout.
func TestSlowLoris(t *testing.T) {
	tracker := hostile.Tracker{Name: "mute", Answer: (*hostile.TrackerConn).Hold}
	served, err := tracker.Serve(t.Context())
	must(t, err)
	begun := time.Now()
	_, failed := ask(t, NewHTTP(HTTPOptions{}), strings.Replace(served.URL, "http://", "https://", 1), short)
	if failed == nil || time.Since(begun) > long {
		t.Errorf("got %v", failed)
	}
}
