package actors_test

import (
	"bytes"
	"errors"
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
	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
)

// TestFaults downloads with one fault at a time, which is in the trace, as the
// cause of what it leads to, and in the way of nothing in the end.
func TestFaults(t *testing.T) {
	t.Parallel()
	for text, tc := range map[string]struct {
		victim string     // end of its path
		leads  event.Kind // to what, of the victim; "" for nothing that supervision sees
		times  int        // at least
	}{
		"panic,actor=*/peer-*,message=FramesReceived,every=2,count=2": {"/peer-", event.Failed, 2},
		"panic,actor=*/scheduler,message=PieceVerified,every=20":      {"/scheduler", event.Failed, 1},
		"link,every=3,count=1":                        {"/peer-", event.Stopping, 1},
		"hang,actor=*/choker,time=100ms":              {"/choker", "", 1},
		"delay,message=BlocksArrived,time=10ms":       {"/scheduler", "", 10},
		"disk,error=ENOSPC,count=1":                   {"/store", "", 1},
		"disk,error=EIO,op=write,path=*.part,count=1": {"/store", "", 1},
		"disk,slow=2ms,op=write":                      {"/store", "", 10},
		"tracker,error=connect,count=1":               {"/tracker-0", "", 1},
	} {
		t.Run(text, func(t *testing.T) {
			spec, err := fault.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			torrent, data := stage.Torrent(t, 8<<20+77, 128<<10)
			_, first := seed(t, torrent, data, actors.Options{})
			_, second := seed(t, torrent, data, actors.Options{})
			torrent.Announce = [][]string{{trackerOf(t)}}
			dir := t.TempDir()
			n := start(t, actors.Options{Faults: []fault.Spec{spec}})
			n.add(torrent, messages.TorrentOptions{Dir: dir, Peers: []netip.AddrPort{first, second}})
			if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
				t.Error("it is not complete")
			}
			got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("wrong data, or none: %v", err)
			}

			faults, led := map[uint64]bool{}, 0
			for _, e := range n.Trace.Events() {
				switch {
				case e.Kind == event.Fault:
					faults[e.Seq] = true
					if !strings.HasPrefix(e.Reason, text) || !strings.Contains(e.Actor, tc.victim) {
						t.Errorf("%s is struck by %s", e.Actor, e.Reason)
					}
				case e.Kind == tc.leads && faults[e.Cause]:
					led++
				}
			}
			if len(faults) < tc.times || tc.leads != "" && led != len(faults) {
				t.Errorf("%d faults in the trace, want %d; %d have led to %q", len(faults), tc.times, led, tc.leads)
			}
		})
	}
}

// A torrent whose engine fails at everything ends, with its reason.
func TestATorrentThatCannotBeKeptAliveIsGivenUp(t *testing.T) {
	spec, err := fault.Parse("panic,actor=*/engine,every=1")
	if err != nil {
		t.Fatal(err)
	}
	torrent, _ := stage.Torrent(t, 1<<20, 128<<10)
	n := start(t, actors.Options{
		Faults:   []fault.Spec{spec},
		Restarts: supervise.Backoff{Base: time.Millisecond, Cap: 2 * time.Millisecond, Budget: 3},
	})
	n.add(torrent, messages.TorrentOptions{Dir: t.TempDir()})
	failed := await(n, func(*messages.TorrentFailed) bool { return true })
	if !errors.Is(failed.Err, messages.ErrGivenUp) || failed.Last.Restarts != 3 {
		t.Errorf("after %d restarts: %v", failed.Last.Restarts, failed.Err)
	}
}

// TestTheEndOfTheRootIsTold: Ended is closed when the root, or a child that
// everything depends on, has spent its restarts.
func TestTheEndOfTheRootIsTold(t *testing.T) {
	for _, victim := range []string{"client", "client/session", "client/torrents"} {
		t.Run(victim, func(t *testing.T) {
			n := start(t, actors.Options{Restarts: supervise.Backoff{Base: time.Millisecond, Cap: 2 * time.Millisecond, Budget: 3}})
			spawned := func(e *event.Event) bool { return e.Kind == event.Started && e.Actor == "client/torrents" }
			if _, err := n.Trace.Wait(t.Context(), spawned); err != nil {
				t.Fatal(err)
			}
			for range 4 {
				if err := n.Tree().Kill(victim, "on purpose"); err != nil {
					t.Fatal(err)
				}
			}
			<-n.Ended()
		})
	}
}

// TestNothingIsLostWithAMessage kills session or torrents at each kind of
// message that they handle: the message is lost. The user is told nevertheless,
// and once, that the torrent is complete, and that it has ended.
func TestNothingIsLostWithAMessage(t *testing.T) {
	torrent, data := stage.Torrent(t, 1<<20+77, 128<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	for actor, lost := range map[string][]string{
		"session": {"AddTorrent", "LimiterReady", "ListenerStarted", "ListenerReady", "TorrentsListed", "TorrentStarted",
			"Progress", "TorrentCompleted", "TorrentPiecesVerified", "TorrentEnded"},
		"torrents": {"StartTorrent", "QueryTorrents", "TorrentDone", "ForgetTorrent"},
	} {
		for _, message := range lost {
			t.Run(actor+" "+message, func(t *testing.T) {
				specs := []string{"panic,count=2,actor=*/" + actor + ",message=" + message}
				if message == "QueryTorrents" { // which a session asks only after a death
					specs = append(specs, "panic,count=1,actor=*/session,message=TorrentStarted")
				}
				var faults []fault.Spec
				for _, text := range specs {
					spec, err := fault.Parse(text)
					if err != nil {
						t.Fatal(err)
					}
					faults = append(faults, spec)
				}
				n := start(t, actors.Options{
					Faults: faults, Listen: "127.0.0.1:0", Restarts: supervise.Backoff{Base: time.Millisecond, Cap: 2 * time.Millisecond},
				})
				await(n, func(*messages.ListenerReady) bool { return true }) // so that a session gets AddTorrent
				n.add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{addr}})
				if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete || done.Last.Downloaded > int64(len(data)) {
					t.Errorf("done with %+v", done.Last)
				}
				if n.completed != 1 {
					t.Errorf("the user is told %d times that it is complete", n.completed)
				}
				died := func(e *event.Event) bool { return e.Kind == event.Fault }
				if _, err := n.Trace.Wait(t.Context(), died); err != nil {
					t.Fatal(err)
				}
				// A second end would have come by now.
				if err := n.Shutdown(10 * time.Second); err != nil {
					t.Error(err)
				}
				for len(n.events) > 0 {
					switch m := (<-n.events).(type) {
					case *messages.TorrentDone, *messages.TorrentFailed:
						t.Errorf("it ends again: %+v", m)
					}
				}
			})
		}
	}
}
