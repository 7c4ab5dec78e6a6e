package actors_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
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
	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// TestRecovery kills each kind of actor in the middle of a download: what
// ARCHITECTURE.md says is lost and made good is shown here row by row.
func TestRecovery(t *testing.T) {
	noFilesLeft(t)
	alone := []event.Kind{event.Fault, event.Failed, event.Directive, event.Restarting, event.Restarted}
	withEngine := []event.Kind{
		event.Fault, event.Failed, event.Directive,
		event.Escalated, event.Directive, event.Restarting, event.Restarted,
	}
	const hash = "client/torrents/torrent-HASH"
	for name, row := range map[string]struct {
		victim string
		back   string // the actor that is restarted for it
		chain  []event.Kind
	}{
		"peer":      {hash + "/engine/peers/peer-1", hash + "/engine/peers/peer-1", alone},
		"peers":     {hash + "/engine/peers", hash + "/engine/peers", alone},
		"choker":    {hash + "/engine/choker", hash + "/engine/choker", alone},
		"hasher":    {hash + "/engine/store/hash-0", hash + "/engine/store/hash-0", alone},
		"keeper":    {hash + "/engine/store/keeper", hash + "/engine/store/keeper", alone},
		"store":     {hash + "/engine/store", hash + "/engine", withEngine},
		"scheduler": {hash + "/engine/scheduler", hash + "/engine", withEngine},
		"engine":    {hash + "/engine", hash + "/engine", alone},
		"web seed":  {hash + "/engine/web-0", hash + "/engine/web-0", alone},
		"tracker":   {hash + "/tracker-0", hash + "/tracker-0", alone},
		"torrent":   {hash, hash, alone},
		"limiter":   {"client/limiter", "client/limiter", alone},
		"dht":       {"client/dht-4", "client/dht-4", alone},
		"listener":  {"client/listener", "client/listener", alone},
		"mapper":    {"client/mapper", "client/mapper", alone},
		"socket":    {"client/socket-4", "client/socket-4", alone},
		"session":   {"client/session", "client/session", alone},
		"torrents":  {"client/torrents", "client/torrents", alone},
		"client":    {"client", "client", alone},
	} {
		t.Run(name, func(t *testing.T) { recovers(t, row.victim, row.back, row.chain) })
	}
	for name, row := range map[string]struct {
		victim string
		inDHT  bool // the seed is looked for there, and else by a tracker over UDP
	}{
		"tracker, amid an announce": {hash + "/tracker-0", false},
		"dht, amid a lookup":        {"client/dht-4", true},
		"socket, amid a lookup":     {"client/socket-4", true},

		"session, amid a lookup": {"client/session", true},
	} {
		t.Run(name, func(t *testing.T) { findsAgain(t, row.victim, row.inDHT) })
	}
	t.Run("a liar is convicted, and nobody else, after peers has died", convictsOnlyTheLiar)
}

// convictsOnlyTheLiar has one peer send a single wrong block, and kills peers.
// The peers that connect afterwards finish the piece, whose hash is wrong: what
// the store and the scheduler remember of who sent what must still name the
// liar.
func convictsOnlyTheLiar(t *testing.T) {
	torrent, data := stage.Torrent(t, 4<<20, 256<<10)
	n := start(t, actors.Options{Listen: "127.0.0.1:0"})
	addr := await(n, func(*messages.ListenerReady) bool { return true }).Addr
	dir := t.TempDir()
	n.add(torrent, messages.TorrentOptions{Dir: dir})
	await(n, func(*messages.Progress) bool { return true }) // the listener has been told: the liar dials once

	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	t.Cleanup(func() { cancel(); ended.Wait() })
	liar, sent := netip.AddrFrom4([4]byte{127, 0, 0, 2}), false
	lie := hostile.Seed{Data: data, Spoil: func(_, _ uint32, block []byte) {
		if sent {
			<-ctx.Done() // one block is all that it sends
		}
		sent = true
		block[0]++
	}}.Script("one wrong block")
	ended.Go(func() {
		if _, err := hostile.Run(ctx, torrent, liar, addr, lie, 1); err != nil {
			t.Error(err)
		}
	})
	await(n, func(p *messages.Progress) bool { return p.Downloaded > 0 })
	peers := "client/torrents/torrent-" + torrent.InfoHash.String()[:8] + "/engine/peers"
	if err := n.Tree().Kill(peers, "on purpose"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Trace.Wait(ctx, func(e *event.Event) bool { return e.Kind == event.Restarted && e.Actor == peers }); err != nil {
		t.Fatal(err)
	}

	for range 2 { // of one alone a few wrong pieces would be excused
		seedDir := t.TempDir()
		if err := os.WriteFile(filepath.Join(seedDir, torrent.Name), data, 0o644); err != nil {
			t.Fatal(err)
		}
		honest := start(t, actors.Options{})
		honest.add(torrent, messages.TorrentOptions{Dir: seedDir, MustExist: true, Seed: true, Peers: []netip.AddrPort{addr}})
	}
	bans := 0
	await(n, func(m any) bool {
		if ban, is := m.(*messages.TorrentPeerBanned); is {
			if bans++; ban.Addr.Addr() != liar {
				t.Fatalf("banned: %v, %s", ban.Addr, ban.Reason)
			}
		}
		_, done := m.(*messages.TorrentDone)
		return done
	})
	if bans != 1 {
		t.Errorf("%d bans, want that of the liar", bans)
	}
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}

func recovers(t *testing.T, victim, back string, chain []event.Kind) {
	t.Parallel()
	torrent, data := stage.Torrent(t, 12<<20+999, 128<<10)
	name := torrent.InfoHash.String()[:8]
	victim, back = strings.Replace(victim, "HASH", name, 1), strings.Replace(back, "HASH", name, 1)
	options := actors.Options{Listen: "127.0.0.1:0", MapPorts: true, Limits: messages.SetLimits{Down: 8 << 20}}
	var seeds actors.Options
	if back == "client/dht-4" { // the seed is found there, and nowhere else
		seeds.DHT = &actors.DHT{AtOnce: true}
	}
	_, addr := seed(t, torrent, data, seeds)
	if strings.HasSuffix(back, "/web-0") { // which alone has the content
		options = fromInside(options)
		torrent.WebSeeds = []string{mirror(t, data)}
	} else if seeds.DHT != nil {
		options.DHT = &actors.DHT{}
		options.DHT.Before[messages.IPv4].Nodes = []netip.AddrPort{addr}
	} else {
		torrent.Announce = [][]string{{trackerOf(t, addr)}}
	}

	dir := t.TempDir()
	n := start(t, options)
	listening := await(n, func(*messages.ListenerReady) bool { return true })
	n.add(torrent, messages.TorrentOptions{Dir: dir})
	midway := await(n, func(p *messages.Progress) bool { return p.HavePieces > 0 })
	if midway.HavePieces == midway.Pieces {
		t.Fatal("complete before anything could be killed")
	}
	if err := n.Tree().Kill(victim, "on purpose"); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	last, err := n.Trace.Wait(ctx, func(e *event.Event) bool { return e.Kind == event.Restarted && e.Actor == back })
	if err != nil {
		t.Fatalf("%s was not restarted: %v", back, err)
	}
	if got := causes(n.Trace.Events(), last); !slices.Equal(got, chain) {
		t.Errorf("the trace tells %v, want %v", got, chain)
	}
	if back == "client/listener" {
		if again := await(n, func(*messages.ListenerReady) bool { return true }); again.Addr != listening.Addr {
			t.Errorf("it listens at %v, no more at %v", again.Addr, listening.Addr)
		}
	}

	// Nothing that was verified is forgotten, so none of it is fetched again.
	have := midway.HavePieces
	done := await(n, func(m any) bool {
		if p, is := m.(*messages.Progress); is && p.State == messages.StateDownloading {
			if p.HavePieces < have {
				t.Errorf("%d pieces are left of %d", p.HavePieces, have)
			}
			have = p.HavePieces
		}
		_, is := m.(*messages.TorrentDone)
		return is
	}).(*messages.TorrentDone)
	if !done.Complete {
		t.Error("it is not complete")
	}
	if strings.HasPrefix(back, "client/torrents/") && done.Last.Restarts == 0 {
		t.Error("the restart is not counted")
	}
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}

// TestSessionAndTorrentsDieTogether kills session and torrents at the same
// time, three times: the torrent that was added is started again each time, and
// pieces that were verified are found on disk, not fetched again.
func TestSessionAndTorrentsDieTogether(t *testing.T) {
	noFilesLeft(t)
	torrent, data := stage.Torrent(t, 12<<20+999, 128<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	dir := t.TempDir()
	n := start(t, actors.Options{
		Listen: "127.0.0.1:0", Limits: messages.SetLimits{Down: 2 << 20}, Restarts: supervise.Backoff{Base: 10 * time.Millisecond, Cap: 50 * time.Millisecond},
	})
	n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{addr}})
	deaths, have := 0, 0
	done := await(n, func(m any) bool {
		if p, is := m.(*messages.Progress); is && p.State == messages.StateDownloading {
			if p.HavePieces < have {
				t.Errorf("%d pieces are left of %d", p.HavePieces, have)
			}
			if p.HavePieces > have && deaths < 3 {
				deaths++
				for _, victim := range []string{"client/torrents", "client/session"} {
					if err := n.Tree().Kill(victim, "on purpose"); err != nil {
						t.Error(err)
					}
				}
			}
			have = p.HavePieces
		}
		_, is := m.(*messages.TorrentDone)
		return is
	}).(*messages.TorrentDone)
	if !done.Complete || deaths < 3 {
		t.Errorf("complete %v, after %d deaths", done.Complete, deaths)
	}
	if fetched := float64(done.Last.Downloaded) / float64(len(data)); fetched > mostFetch {
		t.Errorf("fetched %.3f times the data", fetched)
	}
	got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
}

// causes are the kinds of the events that led to e, the first cause first, from
// the fault on.
func causes(events []*event.Event, e *event.Event) (kinds []event.Kind) {
	bySeq := map[uint64]*event.Event{}
	for _, e := range events {
		bySeq[e.Seq] = e
	}
	for ; e != nil; e = bySeq[e.Cause] {
		kinds = append(kinds, e.Kind)
		if e.Kind == event.Fault {
			break
		}
	}
	slices.Reverse(kinds)
	return kinds
}

// trackerOf is a tracker that knows some peers.
func trackerOf(t testing.TB, peers ...netip.AddrPort) (url string) {
	known := announce.Reply{Interval: 5 * time.Second}
	for _, addr := range peers {
		known.Peers = append(known.Peers, announce.Peer{Addr: addr})
	}
	reply := announce.AppendReply(nil, known, true)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(reply) }))
	t.Cleanup(s.Close)
	return s.URL + "/announce"
}
