package actors_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/hostile"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// noFailures checks that nothing that strangers sent made an actor fail.
func (n *node) noFailures() {
	n.t.Helper()
	for _, e := range n.Trace.Events() {
		if e.Kind == event.Failed || e.Kind == event.Restarted {
			n.t.Errorf("%s failed: %s", e.Actor, e.Reason)
		}
	}
}

// TestHostilePeers lets every kind of hostile peer have its way with a
// download, dialled by it and dialling it, and then a good seed bring the data.
func TestHostilePeers(t *testing.T) {
	torrent, data := stage.Torrent(t, 8<<20+12345, 64<<10)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	n := start(t, actors.Options{Listen: "127.0.0.1:0"})
	addr := await(n, func(*messages.ListenerReady) bool { return true }).Addr
	options := messages.TorrentOptions{Dir: t.TempDir()}
	for _, s := range hostile.Scripts {
		options.Peers = append(options.Peers, listen(t, ctx, torrent, s))
	}
	n.add(torrent, options)
	for i, s := range hostile.Scripts {
		run := func() {
			closed, err := hostile.Run(ctx, torrent, netip.Addr{}, addr, s, uint64(i))
			if s.Ends && (!closed || err != nil) {
				t.Errorf("%s: closed %v, %v", s.Name, closed, err)
			}
		}
		if s.Ends {
			run() // one after the other, so that no other limit ends it
		} else {
			all.Go(run)
		}
	}
	seedDir := t.TempDir()
	if err := os.WriteFile(filepath.Join(seedDir, torrent.Name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	good := start(t, actors.Options{})
	good.add(torrent, messages.TorrentOptions{Dir: seedDir, MustExist: true, Seed: true, Peers: []netip.AddrPort{addr}})
	done := await(n, func(*messages.TorrentDone) bool { return true })
	if !done.Complete {
		t.Error("not complete")
	}
	n.noFailures()
}

// pace is what seeds wait before each block, so that all of them have their
// part.
const pace = 500 * time.Microsecond

// bad is a seed that spoils some blocks.
func bad(data []byte, pace time.Duration, spoils func(piece, begin uint32) bool) hostile.Script {
	return hostile.Seed{Data: data, Pause: pace, Spoil: func(piece, begin uint32, block []byte) {
		if spoils(piece, begin) {
			block[0]++
		}
	}}.Script("a seed that lies")
}

func TestOnlySeedsThatLieAreBanned(t *testing.T) {
	torrent, data := stage.Torrent(t, 16<<20+12345, 128<<10)
	always := func(uint32, uint32) bool { return true }
	oneInHundred := func(piece, begin uint32) bool { return (piece*8+begin>>14)%100 == 7 }
	for name, c := range map[string]struct {
		spoils []func(piece, begin uint32) bool
		good   int
		slower time.Duration // by what a good one waits longer before each block, and a bad one does not wait
	}{
		"one of two":                             {[]func(uint32, uint32) bool{always}, 1, 0},
		"five of six":                            {slices.Repeat([]func(uint32, uint32) bool{always}, 5), 1, 0},
		"one block in a hundred":                 {[]func(uint32, uint32) bool{oneInHundred}, 1, 0},
		"two, now and then":                      {[]func(uint32, uint32) bool{oneInHundred, oneInHundred}, 3, 0},
		"a fast one beside a slow":               {[]func(uint32, uint32) bool{always}, 1, 3 * time.Millisecond},
		"a fast one beside a slow, now and then": {[]func(uint32, uint32) bool{oneInHundred}, 1, 3 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			honest := map[netip.AddrPort]bool{}
			options := messages.TorrentOptions{Dir: t.TempDir()}
			fast := pace
			if c.slower > 0 {
				fast = 0
			}
			for _, spoils := range c.spoils {
				options.Peers = append(options.Peers, listen(t, ctx, torrent, bad(data, fast, spoils)))
			}
			for range c.good {
				addr := listen(t, ctx, torrent, hostile.Seed{Data: data, Pause: pace + c.slower}.Script("a good seed"))
				honest[addr] = true
				options.Peers = append(options.Peers, addr)
			}
			n := start(t, actors.Options{})
			n.add(torrent, options)
			banned := map[netip.AddrPort]bool{}
			done := await(n, func(m any) bool {
				if b, is := m.(*messages.TorrentPeerBanned); is {
					banned[b.Addr] = true
					if honest[b.Addr] || b.Reason == "" {
						t.Errorf("banned: %v, %q", b.Addr, b.Reason)
					}
				}
				_, is := m.(*messages.TorrentDone)
				return is
			}).(*messages.TorrentDone)
			got, err := os.ReadFile(filepath.Join(options.Dir, torrent.Name))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("wrong data, or none: %v", err)
			}
			if (done.Last.Corrupt > 0 || c.slower > 0) && len(banned) == 0 {
				t.Errorf("%d pieces came wrong, and nobody is banned", done.Last.Corrupt)
			}
			// Blocks of the endgame may come twice.
			most := int64(len(data)) + int64(done.Last.Corrupt)*torrent.PieceLength + 2<<20
			if done.Last.Downloaded > most {
				t.Errorf("downloaded %d bytes with %d corrupt pieces", done.Last.Downloaded, done.Last.Corrupt)
			}
			t.Logf("%d corrupt pieces, %d banned, %d bytes wasted", done.Last.Corrupt, len(banned), done.Last.Wasted)
			n.noFailures()
		})
	}
}

// A seed that is careless is borne while it is the only one: the download ends,
// over one connection.
func TestTheOnlySeedMayBeSloppy(t *testing.T) {
	torrent, data := stage.Torrent(t, 8<<20+12345, 64<<10)
	for name, seed := range map[string]hostile.Seed{
		"sends each block four times":  {Again: 3},
		"chokes, and serves all asked": {ChokeEvery: 10},
		"chokes around each block":     {ChokeEvery: 1},
		"chokes, and sends each twice": {ChokeEvery: 1, Again: 1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seed.Data = data
			n := start(t, actors.Options{})
			dir := t.TempDir()
			n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{listen(t, ctx, torrent, seed.Script(name))}})
			done := await(n, func(*messages.TorrentDone) bool { return true })
			got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
			if err != nil || !bytes.Equal(got, data) || !done.Complete {
				t.Errorf("wrong data, or none: %v", err)
			}
			if most := int64(len(data)) * 4; done.Last.Wasted > most {
				t.Errorf("wasted %d bytes", done.Last.Wasted)
			}
			peers := map[string]bool{}
			for _, e := range n.Trace.Events() {
				if e.Kind == event.Started && strings.Contains(e.Actor, "/peer-") {
					peers[e.Actor] = true
				}
			}
			if len(peers) != 1 {
				t.Errorf("it took %d connections", len(peers))
			}
			n.noFailures()
		})
	}
}

// A seed that never unchokes us and allows each piece is enough for the whole
// download.
func TestWhatASeedAllowsNeedsNoUnchoke(t *testing.T) {
	torrent, data := stage.Torrent(t, 1<<20+12345, 64<<10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seed := hostile.Seed{Data: data, Allows: torrent.PieceCount()}
	n := start(t, actors.Options{})
	dir := t.TempDir()
	n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{listen(t, ctx, torrent, seed.Script("allows, and never unchokes"))}})
	done := await(n, func(*messages.TorrentDone) bool { return true })
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) || !done.Complete {
		t.Errorf("wrong data, or none: %v", err)
	}
	n.noFailures()
}

func listen(t *testing.T, ctx context.Context, torrent *metainfo.Torrent, s hostile.Script) netip.AddrPort {
	t.Helper()
	addr, err := hostile.Listen(ctx, torrent, "127.0.0.1", s)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
