//go:build linux

package counterpart

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kouzui/cmd/internal/noise"
)

// Tracker is a program that is a tracker.
type Tracker struct {
	Name string
	// Announce returns the announce URLs of a tracker at a place, one for each
	// protocol that it speaks.
	Announce func(Place) []string

	program string
	version []string
	start   func(ctx context.Context, home string, at Place, hash string) (*Process, error)
}

// Version returns the version that the program prints, or why it cannot be run.
func (t Tracker) Version() (string, error) { return version(t.program, t.version) }

// Start returns when the tracker answers. The tracker serves at least the
// torrent of that info hash.
func (t Tracker) Start(ctx context.Context, home string, at Place, hash string) (*Process, error) {
	p, err := t.start(ctx, home, at, hash)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	p.Name, p.Addr = t.Name, at.Peer()
	return p, nil
}

// Opentracker speaks HTTP and UDP. Debian's build serves only the info hashes
// of a list. It refuses to run as root: it becomes another user in another root
// folder, and so outlives this program if this program is killed.
var Opentracker = Tracker{
	Name:     "opentracker",
	Announce: func(p Place) []string { return []string{announceHTTP(p), announceUDP(p)} },
	program:  "opentracker",
	version:  []string{"dpkg-query", "--show", "--showformat=${Version}", "opentracker"},
	start: func(ctx context.Context, home string, at Place, hash string) (*Process, error) {
		if err := os.WriteFile(filepath.Join(home, "hashes"), []byte(hash+"\n"), 0o644); err != nil {
			return nil, err
		}
		if err := os.Chmod(home, 0o755); err != nil { // for the other user
			return nil, err
		}
		port := strconv.Itoa(at.Port)
		return startTracker(ctx, "opentracker", home, at, "opentracker", "-i", at.Host, "-p", port, "-P", port, "-d", home, "-w", "hashes")
	},
}

// NodeTracker is npm's bittorrent-tracker from the node_modules in folder,
// started by the script in the same folder.
func NodeTracker(folder string) Tracker {
	script := filepath.Join(folder, "tracker.mjs")
	return Tracker{
		Name:     "bittorrent-tracker",
		Announce: func(p Place) []string { return []string{announceHTTP(p), announceUDP(p)} },
		program:  "node",
		version: []string{"node", "--print",
			"JSON.parse(fs.readFileSync(process.argv[1])).version", filepath.Join(folder, "node_modules/bittorrent-tracker/package.json")},
		start: func(ctx context.Context, home string, at Place, _ string) (*Process, error) {
			path, err := filepath.Abs(script)
			if err != nil {
				return nil, err
			}
			return startTracker(ctx, "bittorrent-tracker", home, at, "node", path, at.Host, strconv.Itoa(at.Port))
		},
	}
}

func startTracker(ctx context.Context, name, home string, at Place, program string, args ...string) (*Process, error) {
	p, err := launch(ctx, home, nil, program, args...)
	if err != nil {
		return nil, err
	}
	return p.started(name, p.poll(ctx, listens(at.Peer())))
}

func announceHTTP(p Place) string { return "http://" + p.Peer() + "/announce" }
func announceUDP(p Place) string  { return "udp://" + p.Peer() + "/announce" }

// Knows returns when the tracker of the content counts that many seeds, by its
// answer to a scrape over HTTP (BEP 48), which all trackers speak.
func (t Tracker) Knows(ctx context.Context, c *noise.Content, seeds int) error {
	scrape := strings.NewReplacer("udp://", "http://", "announce", "scrape").Replace(c.Info.Announce[0][0]) + "?info_hash=" + url.QueryEscape(string(c.Info.InfoHash[:]))
	return poll(ctx, nil, func(ctx context.Context) (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, scrape, nil)
		if err != nil {
			return false, err
		}
		text, err := send(req)
		return err == nil && bytes.Contains(text, fmt.Appendf(nil, "8:completei%de", seeds)), err
	})
}
