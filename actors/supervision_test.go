package actors_test

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/pattern"
	"kouzui/messages"
)

// TestSupervisions kills the choker in the middle of a download. What is
// restarted for it differs with the pattern of supervision; the download is
// complete and right in any case but that in which nothing is restarted. Who is
// restarted does not depend on who shares a thread of control.
func TestSupervisions(t *testing.T) {
	noFilesLeft(t)
	const engine = "client/torrents/torrent-HASH/engine"
	for spec, tc := range map[string]struct {
		back  string   // the actor that is restarted for it; empty: the torrent ends
		stays []string // actors that are not
		goes  []string // actors that are restarted beside it, or anew
	}{
		"":             {back: engine + "/choker", stays: []string{engine, engine + "/peers", "client"}},
		"all-for-one":  {back: engine + "/choker", stays: []string{engine, "client"}, goes: []string{engine + "/peers"}},
		"escalate":     {back: engine, stays: []string{"client"}, goes: []string{engine + "/scheduler"}},
		"restart-node": {back: "client", goes: []string{engine + "/scheduler"}},
		"stop":         {},

		"one-for-one granularity=monolith": {back: engine + "/choker", stays: []string{engine, engine + "/peers", engine + "/scheduler", engine + "/store"}},
		"one-for-one granularity=mutex":    {back: engine + "/choker", stays: []string{engine, engine + "/peers", engine + "/scheduler", engine + "/store"}},
		"all-for-one granularity=monolith": {back: engine + "/choker", stays: []string{engine, "client"}, goes: []string{engine + "/peers", engine + "/scheduler", engine + "/store"}},
		"all-for-one granularity=mutex":    {back: engine + "/choker", stays: []string{engine, "client"}, goes: []string{engine + "/peers", engine + "/scheduler", engine + "/store"}},
	} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			torrent, data := stage.Torrent(t, 12<<20+999, 128<<10)
			path := func(of string) string {
				return string(bytes.Replace([]byte(of), []byte("HASH"), []byte(torrent.InfoHash.String()[:8]), 1))
			}
			_, addr := seed(t, torrent, data, actors.Options{})
			torrent.Announce = [][]string{{trackerOf(t, addr)}}
			dir := t.TempDir()
			o := actors.Options{Limits: messages.SetLimits{Down: 8 << 20}}
			if supervision, granularity, shared := strings.Cut(spec, " granularity="); spec != "" {
				o.Patterns = pattern.Choice{"supervision": supervision}
				if shared {
					o.Patterns["granularity"] = granularity
				}
			}
			n := start(t, o)
			n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{addr}})
			await(n, func(p *messages.Progress) bool { return p.HavePieces > 0 && p.State == messages.StateDownloading })
			if err := n.Tree().Kill(path(engine+"/choker"), "on purpose"); err != nil {
				t.Fatal(err)
			}
			if tc.back == "" {
				if failed := await(n, func(*messages.TorrentFailed) bool { return true }); !errors.Is(failed.Err, messages.ErrGivenUp) {
					t.Errorf("it ends with %v", failed.Err)
				}
				return
			}
			if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
				t.Error("it is not complete")
			}
			if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
				t.Errorf("wrong data, or none: %v", err)
			}
			begun := map[string]int{}     // how often each actor was
			restarted := map[string]int{} // and in place of an earlier incarnation
			for _, e := range n.Trace.Events() {
				switch e.Kind {
				case event.Started:
					begun[e.Actor]++
				case event.Restarted:
					begun[e.Actor]++
					restarted[e.Actor]++
				}
			}
			if restarted[path(tc.back)] == 0 {
				t.Errorf("%s was not restarted", tc.back)
			}
			for _, of := range tc.stays {
				if begun[path(of)] != 1 {
					t.Errorf("%s was started %d times", of, begun[path(of)])
				}
			}
			for _, of := range tc.goes {
				if begun[path(of)] < 2 {
					t.Errorf("%s was started %d times", of, begun[path(of)])
				}
			}
		})
	}
}
