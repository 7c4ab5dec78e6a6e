package kouzui_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"kouzui"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/supervise"
)

// Nothing that a user calls panics: on what was never opened, on what is over,
// with nothing, and from many goroutines.
func TestNothingPanics(t *testing.T) {
	m, data := stage.Torrent(t, 100<<10, 16<<10)
	over, err := kouzui.Open(kouzui.Config{Listen: kouzui.Nowhere, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ended, err := over.AddMetainfo(m, kouzui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := over.Close(nil); err != nil { //nolint:staticcheck // that is what is tried
			t.Error(err)
		}
	}
	if err := ended.Wait(nil); !errors.Is(err, kouzui.ErrStopped) { //nolint:staticcheck // that is what is tried
		t.Errorf("a torrent of a client that was closed ends with %v", err)
	}
	closed, cancel := context.WithCancel(t.Context())
	cancel()
	var buffer *bytes.Buffer
	for name, c := range map[string]*kouzui.Client{"nil": nil, "zero": {}, "closed": over} {
		for what, err := range map[string]error{
			"Add":         second(c.Add(bytes.NewReader(encoded(t, m, data)), kouzui.Options{})),
			"AddMetainfo": second(c.AddMetainfo(m, kouzui.Options{})),
			"AddHash":     second(c.AddHash(m.InfoHash, kouzui.Options{})),
			"SetLimits":   c.SetLimits(1, 1),
			"Addr":        second(c.Addr(t.Context())),
		} {
			if !errors.Is(err, kouzui.ErrClosed) {
				t.Errorf("%s of a client that is %s: %v", what, name, err)
			}
		}
		for what, err := range map[string]error{
			"a nil reader":       second(c.Add(nil, kouzui.Options{})),
			"a nil buffer":       second(c.Add(buffer, kouzui.Options{})),
			"no file":            second(c.AddFile("", kouzui.Options{})),
			"nil metainfo":       second(c.AddMetainfo(nil, kouzui.Options{})),
			"metainfo of nobody": second(c.AddMetainfo(&kouzui.Metainfo{}, kouzui.Options{})),
		} {
			if err == nil {
				t.Errorf("%s is taken by a client that is %s", what, name)
			}
		}
		for e := range c.Events(nil) { //nolint:staticcheck // that is what is tried
			t.Errorf("%T comes of a client that is %s", e, name)
		}
		if len(c.Torrents()) > 0 {
			t.Errorf("a client that is %s has torrents", name)
		}
		<-c.Done()
		c.Tree()
		if err := c.Close(closed); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("closing a client that is %s: %v", name, err)
		}
	}
	for name, torrent := range map[string]*kouzui.Torrent{"nil": nil, "zero": {}, "ended": ended} {
		for what, err := range map[string]error{
			"Status": second(torrent.Status(t.Context())), "Files": second(torrent.Files(t.Context())),
			"Peers": second(torrent.Peers(t.Context())), "Trackers": second(torrent.Trackers(t.Context())),
			"SetMetainfo": torrent.SetMetainfo(m),
		} {
			if !errors.Is(err, kouzui.ErrEnded) {
				t.Errorf("%s of a torrent that is %s: %v", what, name, err)
			}
		}
		for range torrent.Events(nil) { //nolint:staticcheck // that is what is tried
		}
		_, _, _ = torrent.Name(), torrent.InfoHash(), torrent.Metainfo()
		_, _, _ = torrent.Wait(closed), torrent.WaitComplete(closed), torrent.Stop(closed)
		_, _ = torrent.Remove(closed, true), torrent.Remove(nil, false) //nolint:staticcheck // that is what is tried
	}
}

func second[T any](_ T, err error) error { return err }

// Everything at once, from many goroutines, while the client closes.
func TestConcurrentUse(t *testing.T) {
	m, data := stage.Torrent(t, 300<<10, 16<<10)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 30 {
				torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}, Seed: true})
				if err != nil {
					if errors.Is(err, kouzui.ErrClosed) {
						return
					}
					for _, other := range client.Torrents() {
						torrent = other
					}
				}
				switch rnd.IntN(7) {
				case 0:
					_ = torrent.Stop(ctx)
				case 1:
					_, _ = torrent.Status(ctx)
				case 2:
					_, _ = torrent.Peers(ctx)
				case 3:
					for range torrent.Events(ctx) {
						break
					}
				case 4:
					_ = client.SetLimits(int64(rnd.IntN(10<<20)), 0)
				case 5:
					_, _ = torrent.Files(ctx)
				case 6:
					_ = torrent.Remove(ctx, rnd.IntN(2) == 0)
				}
			}
		})
	}
	all.Wait()
	for range 3 {
		all.Go(func() { _ = client.Close(ctx) })
	}
	all.Wait()
	if _, err := client.AddMetainfo(m, kouzui.Options{}); !errors.Is(err, kouzui.ErrClosed) {
		t.Errorf("a closed client takes a torrent: %v", err)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	m, _ := stage.Torrent(t, 1000, 16<<10)
	client := open(t, kouzui.Config{})
	torrent, err := client.AddMetainfo(m, kouzui.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	events := client.Events(ctx)
	cancel()
	for range events {
		t.Error("an event comes after the end of the context")
	}
	for _, err := range []error{torrent.Wait(ctx), torrent.WaitComplete(ctx)} {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	nobody := open(t, kouzui.Config{Listen: kouzui.Nowhere})
	if _, err := nobody.Addr(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// When supervision gives up the tree, no call of the client blocks for ever.
func TestTheTreeIsGivenUp(t *testing.T) {
	spec, err := fault.Parse("panic,actor=*/session,every=1")
	if err != nil {
		t.Fatal(err)
	}
	m, _ := stage.Torrent(t, 1000, 16<<10)
	client := open(t, kouzui.Config{
		Faults: []fault.Spec{spec}, Restarts: supervise.Backoff{Base: time.Millisecond, Cap: time.Millisecond, Budget: 2},
	})
	torrent, err := client.AddMetainfo(m, kouzui.Options{})
	if err != nil && !errors.Is(err, kouzui.ErrClosed) {
		t.Fatal(err)
	}
	<-client.Done()
	if err := torrent.Wait(t.Context()); torrent != nil && !errors.Is(err, kouzui.ErrGivenUp) {
		t.Error(err)
	}
	if _, err := client.AddMetainfo(m, kouzui.Options{}); !errors.Is(err, kouzui.ErrClosed) {
		t.Error(err)
	}
}

// A torrent that is added while the client closes is refused or ends with the
// others: Close has no deadline here.
func TestCloseDuringAdd(t *testing.T) {
	m, _ := stage.Torrent(t, 100_000, 16<<10)
	for range 20 {
		client, err := kouzui.Open(kouzui.Config{Dir: t.TempDir(), Listen: kouzui.Nowhere})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				added, err := client.AddHash(kouzui.Hash{byte(i)}, kouzui.Options{})
				if i == 0 {
					added, err = client.AddMetainfo(m, kouzui.Options{})
				}
				if err != nil && !errors.Is(err, kouzui.ErrClosed) {
					t.Error(err)
				} else if err == nil {
					_ = added.Wait(context.Background())
				}
			})
		}
		wg.Go(func() {
			for _, torrent := range client.Torrents() {
				if err := torrent.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		if err := client.Close(context.Background()); err != nil {
			t.Error(err)
		}
		wg.Wait()
	}
}
