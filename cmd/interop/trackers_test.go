//go:build linux

package interop

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"unicode"

	"kouzui/actors/lab/hostile"
)

// TestATrackerThatHarmsCostsItself gives a download a hostile tracker, and in
// the next tier a tracker that knows the seed. The download completes, and the
// failure of each announce is logged in one line.
func TestATrackerThatHarmsCostsItself(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		// stay is how long the download seeds: longer than a hanging announce takes
		// to fail.
		stay string
	}{
		"says nothing":            {"timed out", "15s"},
		"drips":                   {"timed out", "15s"},
		"redirects for ever":      {"redirect", ""},
		"sends a gzip bomb":       {"longer than", ""},
		"names a million peers":   {"longer than", ""},
		"says that it is endless": {"longer than", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harmful := tracker(name)
			ctx, cancel := context.WithTimeout(t.Context(), 2*transferTimeout)
			defer cancel()
			content := oneFile(t, 4<<20)
			seed := seedTask(t, kouzui, content)
			start(t, ctx, kouzui, seed)
			bad := serve(t, ctx, harmful)
			good := serve(t, ctx, knows(netip.MustParseAddrPort(seed.Place.Peer())))

			dir := t.TempDir()
			args := []string{"download", content.Torrent, "-v", "--dir", dir, "--listen", "127.0.0.1", "--listen-port", "0",
				"--tracker", bad.URL, "--tracker", good.URL}
			if c.stay != "" {
				args = append(args, "--seed-time", c.stay)
			}
			out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := content.Verify(dir, false); err != nil {
				t.Error(err)
			}
			told := 0
			for line := range bytes.Lines(out) {
				text := strings.TrimSuffix(string(line), "\n")
				if strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("a line steers the terminal: %q", text)
				}
				if strings.Contains(text, bad.URL) {
					told++
					if !strings.Contains(text, "announce failed") || !strings.Contains(text, c.says) {
						t.Errorf("of this tracker is said %q", text)
					}
				}
			}
			if told == 0 || told > int(bad.Announces()) {
				t.Errorf("%d announces, and %d lines about them", bad.Announces(), told)
			}
			if t.Failed() {
				t.Logf("%s", out)
			}
		})
	}
}

func serve(t *testing.T, ctx context.Context, tracker hostile.Tracker) *hostile.Served {
	t.Helper()
	s, err := tracker.Serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// knows is an honest tracker that knows one peer.
func knows(peer netip.AddrPort) hostile.Tracker {
	ip := peer.Addr().As4()
	return hostile.Tracker{Answer: func(c *hostile.TrackerConn) {
		c.Reply("d8:intervali60e5:peers6:" + string(binary.BigEndian.AppendUint16(ip[:], peer.Port())) + "e")
	}}
}
