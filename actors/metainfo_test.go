package actors_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// unheard keeps metadata from hearing of what peers offer.
const unheard = "delay,actor=*/metadata,message=MetadataOffered,time=1h"

// hashOnly is a client that knows a torrent by its hash, and a seed's address.
type hashOnly struct {
	*node
	torrent *metainfo.Torrent
	data    []byte
	dir     string
	seed    *node
}

// startHashOnly starts the client. What peers offer comes to metadata as the
// fault has it.
func startHashOnly(t *testing.T, limits messages.SetLimits, faults string) *hashOnly {
	spec, err := fault.Parse(faults)
	if err != nil {
		t.Fatal(err)
	}
	torrent, data := stage.Torrent(t, 12<<20+999, 128<<10)
	s, addr := seed(t, torrent, data, actors.Options{})
	h := &hashOnly{
		node:    start(t, actors.Options{Limits: limits, Faults: []fault.Spec{spec}}),
		torrent: torrent, data: data, dir: t.TempDir(), seed: s,
	}
	h.AddHash(torrent.InfoHash, "by its hash", nil, messages.TorrentOptions{Dir: h.dir, Peers: []netip.AddrPort{addr}})
	if faults != unheard {
		return h
	}
	first := await(h.node, func(*messages.Progress) bool { return true })
	if first.State != messages.StateMetadata || first.Name != "by its hash" || first.Pieces != 0 {
		t.Errorf("it begins with %+v", first)
	}
	return h
}

// connected waits until the seed has a connection with the client.
func (h *hashOnly) connected() {
	await(h.seed, func(p *messages.Progress) bool { return p.Peers == 1 })
}

// restart makes a part of the torrent fail, and waits until another is there,
// or the engine is, which escalates what fails in some of its members.
func (h *hashOnly) restart(t *testing.T, part string) {
	t.Helper()
	torrent := "client/torrents/torrent-" + h.torrent.InfoHash.String()[:8]
	if err := h.Tree().Kill(torrent+part, "on purpose"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := h.Trace.Wait(ctx, func(e *event.Event) bool {
		return e.Kind == event.Restarted && (e.Actor == torrent+part || e.Actor == torrent+"/engine")
	})
	if err != nil {
		t.Fatalf("%s was not restarted: %v", part, err)
	}
}

func (h *hashOnly) completes(t *testing.T) *messages.TorrentDone {
	t.Helper()
	done := await(h.node, func(*messages.TorrentDone) bool { return true })
	if !done.Complete {
		t.Error("it is not complete")
	}
	got, err := os.ReadFile(filepath.Join(h.dir, h.torrent.Name))
	if err != nil || !bytes.Equal(got, h.data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	return done
}

// A torrent that is added by its hash connects with peers. When its info is
// given, it downloads over the very connections that it has.
func TestMetainfoMayComeLater(t *testing.T) {
	noFilesLeft(t)
	h := startHashOnly(t, messages.SetLimits{}, unheard)
	h.connected()
	other, _ := stage.Torrent(t, 1000, 100)
	h.SetMetainfo(other) // of a torrent that is not there
	h.SetMetainfo(h.torrent)
	if done := h.completes(t); done.Last.Downloaded != int64(len(h.data)) || done.Last.Name != h.torrent.Name {
		t.Errorf("at last it is %+v", done.Last)
	}
	for _, n := range []*node{h.node, h.seed} {
		var peers []string
		for _, e := range n.Trace.Events() {
			if e.Kind == event.Spawned && strings.Contains(e.Actor, "/peers/") {
				peers = append(peers, e.Actor)
			}
			if e.Kind == event.Failed {
				t.Errorf("%s failed", e.Actor)
			}
		}
		if len(peers) != 1 {
			t.Errorf("these peers connected: %v", peers)
		}
	}
}

// Whatever fails before or after the info is given, the torrent comes back, and
// completes.
func TestRecoveryWithoutMetainfo(t *testing.T) {
	noFilesLeft(t)
	for _, part := range []string{"", "/engine", "/engine/peers", "/engine/peers/peer-1"} {
		t.Run("before"+part, func(t *testing.T) {
			t.Parallel()
			h := startHashOnly(t, messages.SetLimits{}, unheard)
			h.connected()
			h.restart(t, part)
			h.SetMetainfo(h.torrent)
			h.completes(t)
		})
	}
	for _, part := range []string{"", "/engine", "/engine/peers", "/engine/store", "/engine/scheduler"} {
		t.Run("after"+part, func(t *testing.T) {
			t.Parallel()
			h := startHashOnly(t, messages.SetLimits{Down: 8 << 20}, unheard)
			h.SetMetainfo(h.torrent)
			await(h.node, func(p *messages.Progress) bool { return p.HavePieces > 0 })
			h.restart(t, part)
			h.completes(t)
		})
	}
}

// Peers tell what is in the torrent, also if metadata dies while they do.
func TestMetainfoComesFromPeers(t *testing.T) {
	noFilesLeft(t)
	for name, row := range map[string]struct {
		faults string
		deaths int
	}{
		"as it should":                                       {"delay,actor=*/metadata,message=MetadataOffered,time=1ms", 0},
		"metadata dies with an offer":                        {"panic,actor=*/metadata,message=MetadataOffered,count=1", 1},
		"metadata dies with the last part":                   {"panic,actor=*/metadata,message=MetadataArrived,count=2", 2},
		"the torrent dies with what was found":               {"panic,actor=*/torrent-*,message=MetadataFound,count=1", 1},
		"the session dies with what the torrent tells of it": {"panic,actor=*/session,message=TorrentMetainfoFound,count=1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHashOnly(t, messages.SetLimits{}, row.faults)
			h.completes(t)
			deaths := 0
			for _, e := range h.Trace.Events() {
				if e.Kind == event.Failed {
					deaths++
				}
			}
			if deaths != row.deaths {
				t.Errorf("%d actors failed, want %d", deaths, row.deaths)
			}
			if h.seed.completed > 1 {
				t.Errorf("the seed is complete %d times", h.seed.completed)
			}
		})
	}
}
