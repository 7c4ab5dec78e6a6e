package trackerserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/actors/world/real"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// spawn starts a tracker in w.
func spawn(t *testing.T, w *world.World, l Limits) (*actor.RootContext, *actor.PID) {
	t.Helper()
	system := supervise.NewSystem(zerolog.Nop())
	tree := supervise.New(supervise.Config{System: system, Clock: w.Clock, Chance: w.Chance})
	props := tree.Props("tracker", func() actor.Actor { return New(Config{World: w, Limits: l}) })
	pid, err := tree.Spawn("tracker", props, supervise.Backoff{Base: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Shutdown(context.Background(), pid); err != nil {
			t.Error(err)
		}
	})
	return system.Root, pid
}

// The front and the announcer of the real world speak HTTP with each other.
func TestAnnounceAndScrapeOverHTTP(t *testing.T) {
	w := real.New(real.Options{})
	root, pid := spawn(t, w, Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	front, err := Serve(w.Web, "127.0.0.1:0", root, pid, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	url := fmt.Sprintf("http://%v/announce", front.Addr())

	ask := func(r announce.Request) (announce.Reply, error) {
		t.Helper()
		type answer struct {
			reply announce.Reply
			err   error
		}
		got := make(chan answer, 1)
		w.Trackers.Announce(url, world.FromTorrent, r, time.Minute, func(r announce.Reply, err error) { got <- answer{r, err} })
		a := <-got
		return a.reply, a.err
	}
	must := func(r announce.Request) announce.Reply {
		t.Helper()
		reply, err := ask(r)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}

	six := from(6, 1)
	six.IP = netip.MustParseAddr("2001:db8::6")
	must(from(1, 0))
	must(six)
	for _, compact := range []bool{true, false} {
		r := from(2, 1)
		r.Compact = compact
		reply := must(r)
		got := map[string]bool{}
		for _, p := range reply.Peers {
			got[p.Addr.String()] = true
			if p.HasID == compact {
				t.Errorf("compact=%v, but there are IDs: %v", compact, p.HasID)
			}
		}
		if diff := cmp.Diff(map[string]bool{"127.0.0.1:1001": true, "[2001:db8::6]:1006": true}, got); diff != "" {
			t.Error(diff)
		}
		if reply.Seeders != 1 || reply.Leechers != 2 || reply.Interval != DefaultLimits.Interval || reply.External != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%+v", reply)
		}
	}

	// A crash loses the table; the next announces fill it again.
	root.Send(pid, &Query{Path: "/", Respond: func(world.WebResponse) { panic("broken on purpose") }})
	if r := must(from(2, 1)); len(r.Peers) != 0 {
		t.Errorf("after a crash: %+v", r)
	}
	if r := must(from(1, 0)); len(r.Peers) != 1 {
		t.Errorf("after two announces: %+v", r)
	}

	scrape, err := announce.ScrapeURL(url, hash)
	if err != nil {
		t.Fatal(err)
	}
	body, status := get(t, scrape)
	stats, err := announce.ParseScrape(body)
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	if diff := cmp.Diff(map[metainfo.Hash]announce.Stats{hash: {Seeders: 1, Leechers: 1}}, stats); diff != "" {
		t.Error(diff)
	}
	if _, status := get(t, fmt.Sprintf("http://%v/other", front.Addr())); status != http.StatusNotFound {
		t.Errorf("another path gives %d", status)
	}

	wrong := from(1, 0)
	wrong.Port = 0
	var failed *world.AnnounceError
	if _, err := ask(wrong); !errors.As(err, &failed) || failed.Phase != world.PhaseFailure {
		t.Errorf("a port of 0 gives %v", err)
	}
}

func get(t *testing.T, url string) ([]byte, int) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body, answer.StatusCode
}

func TestPeersExpireByTheClock(t *testing.T) {
	w := fake.New(1)
	root, pid := spawn(t, w.World(), Limits{Interval: time.Minute})
	if _, err := Serve(w.Web, ":0", root, pid, nil); err != nil {
		t.Fatal(err)
	}
	site := w.Web.AwaitSite()
	leechers := func(id byte) int {
		t.Helper()
		url, err := from(id, 1).URL("http://t/announce?no_peer_id=1")
		if err != nil {
			t.Fatal(err)
		}
		reply, err := announce.ParseReply(site.Get(netip.MustParseAddrPort("198.51.100.7:5"), "/announce", url[len("http://t/announce?"):]).Body)
		if err != nil || reply.Failure != "" {
			t.Fatal(reply, err)
		}
		for _, p := range reply.Peers {
			if p.HasID {
				t.Error("no_peer_id does nothing")
			}
		}
		return reply.Leechers
	}
	if n := leechers(1); n != 1 {
		t.Errorf("%d leechers", n)
	}
	for range 3 { // each sweep sets the timer of the next
		w.Clock.AwaitTimers(1)
		w.Clock.Advance(30 * time.Second)
	}
	if n := leechers(2); n != 2 {
		t.Errorf("%d leechers after 90 s, want 2", n)
	}
	for range 2 {
		w.Clock.AwaitTimers(1)
		w.Clock.Advance(30 * time.Second)
	}
	if n := leechers(2); n != 1 {
		t.Errorf("%d leechers after 150 s, want 1", n)
	}
	root.Send(pid, &Query{Path: "/", Respond: func(world.WebResponse) { panic("broken on purpose") }})
	if n := leechers(3); n != 1 {
		t.Errorf("%d leechers after a crash, want 1", n)
	}
	if n := w.Clock.Pending(); n != 1 {
		t.Errorf("%d timers after a crash, want 1", n)
	}
}

// A front that has no answer in time gives a failure reason.
func TestLateAnswerIsAFailureReason(t *testing.T) {
	w := fake.New(1)
	root, pid := spawn(t, w.World(), Limits{})
	if _, err := Serve(w.Web, ":0", root, pid, nil); err != nil {
		t.Fatal(err)
	}
	late := w.Web.AwaitSite().Limits.Late
	reply, err := announce.ParseReply(late.Body)
	if err != nil || reply.Failure == "" || late.Status != http.StatusServiceUnavailable {
		t.Errorf("%+v, %+v, %v", late, reply, err)
	}
}
