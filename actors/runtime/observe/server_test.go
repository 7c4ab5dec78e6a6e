package observe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rs/zerolog"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/observe"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// scene is a tree of two actors, one under the other, and the server that shows
// it.
type scene struct {
	*observe.Server
	t    *testing.T
	tree *supervise.Tree
	base *url.URL // with the token
}

// newScene starts a root of the kind "parent" with children of these names.
func newScene(t *testing.T, names ...string) *scene {
	t.Helper()
	s := &scene{Server: observer(t), t: t}
	w := real.New(real.Options{Pool: buffer.NewPool(0), Version: "test"})
	s.tree = supervise.New(supervise.Config{
		System: supervise.NewSystem(zerolog.Nop()), Clock: w.Clock, Chance: w.Chance, Sinks: []event.Sink{s.Server},
	})
	ready := make(chan struct{})
	child := s.tree.Props("child", func() actor.Actor { return actor.ReceiveFunc(func(actor.Context) {}) })
	root, err := s.tree.Spawn("root", s.tree.Props("parent", func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); !ok {
				return
			}
			for _, name := range names {
				if _, err := c.SpawnNamed(child, name); err != nil {
					t.Error(err)
				}
			}
			close(ready)
		})
	}, supervise.WithStrategy(supervise.Backoff{Base: -1})), supervise.StopChild)
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	t.Cleanup(func() {
		if err := s.tree.Shutdown(context.Background(), root); err != nil {
			t.Error(err)
		}
	})
	s.Watch(s.tree)
	if s.base, err = url.Parse(s.URL()); err != nil {
		t.Fatal(err)
	}
	return s
}

// request makes a request to path, with the token in the header as a program
// would send it.
func (s *scene) request(method, path string, form url.Values) *http.Request {
	s.t.Helper()
	target := s.base.JoinPath(path)
	target.RawQuery = ""
	body := form.Encode()
	if method == http.MethodGet {
		target.RawQuery, body = body, ""
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, target.String(), strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.base.Query().Get("token"))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// client keeps no connection, and so no goroutine. It follows no redirection.
var client = http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (s *scene) send(r *http.Request) (status int, header http.Header, body string) {
	s.t.Helper()
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(b)
}

// Names and reasons that steer are shown as what they are.
func TestNothingSteersThePage(t *testing.T) {
	s := newScene(t, "one")
	s.Notify(&messages.TorrentFailed{Err: errors.New("no\u202e\x1b[2J"), Last: messages.Progress{Name: "al\u202ebum\x1b]0;x\a"}})
	answer, err := client.Do(s.request("GET", "/events", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var f struct{ Torrents []struct{ Name, Why string } }
		if err := json.Unmarshal([]byte(data), &f); err != nil {
			t.Fatal(err)
		}
		if len(f.Torrents) != 1 || f.Torrents[0].Name != "al\ufffdbum\ufffd]0;x\ufffd" || f.Torrents[0].Why != "no\ufffd\ufffd[2J" {
			t.Errorf("%q", f.Torrents)
		}
		return
	}
	t.Error("no frame")
}

func TestThePageStandsAlone(t *testing.T) {
	s := newScene(t)
	_, header, body := s.send(s.request("GET", "/", nil))
	if got := header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("type %q", got)
	}
	for _, from := range []string{"src=", `rel="stylesheet"`, "@import", "url(", "http://", "https://"} {
		if rest, found := strings.CutPrefix(body, from); found || strings.Contains(strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""), from) {
			t.Errorf("the page loads something: %s in %d bytes", from, len(rest))
		}
	}
}

// frame is the part of a frame that these tests read.
type frame struct {
	Full   bool
	Actors []struct {
		Path, Kind, State, Reason string
		Incarnation, Restarts     int
	}
	Gone     []string
	Failures []struct{ Actor, Action, Outcome string }
	Torrents []struct{ Name, State string }
}

func TestDetailsHaveTheStack(t *testing.T) {
	s := newScene(t, "one")
	if err := s.tree.Kill("root/one", "a test"); err != nil {
		t.Fatal(err)
	}
	s.follow(func(f frame) bool { return len(f.Failures) > 0 && f.Failures[0].Outcome == "restarted" })
	status, _, body := s.send(s.request("GET", "/actor", url.Values{"path": {"root/one"}}))
	var d struct {
		Actor    struct{ Incarnation int }
		Failures []struct{ Stack, Reason string }
		Events   []struct{ Kind, Text string }
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil || status != 200 {
		t.Fatalf("%d: %v", status, err)
	}
	if d.Actor.Incarnation != 2 || len(d.Failures) != 1 || d.Failures[0].Stack == "" || d.Failures[0].Reason != "injected fault: a test" {
		t.Errorf("%s", body)
	}
	var kinds []string
	for _, e := range d.Events {
		kinds = append(kinds, e.Kind)
	}
	if got, want := strings.Join(kinds, " "), "spawned started fault failed directive restarting restarted"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

func TestMetricsAreInPrometheusFormat(t *testing.T) {
	s := newScene(t, "one", "two")
	s.Notify(&messages.Progress{InfoHash: metainfo.Hash{0xab}, Name: "a\"b\\c\xff\n", DownNow: 2048, Pieces: 7, HavePieces: 3, Peers: 5, DHTNodes: 8,
		Sources: []messages.SourceCount{{Kind: messages.SourceDHT, Connected: 4, Known: 6}}})
	s.Notify(&messages.AddressesBlocked{Inbound: true, Count: 1})
	s.Notify(&messages.AddressesBlocked{Count: 2})
	s.Notify(&messages.AddressesBlocked{Count: 3})
	s.Notify(&messages.SendingMeasured{Chosen: "copied", Sendfile: 3 * time.Second, Copied: 2 * time.Second})
	if err := s.tree.Kill("root/one", "a test"); err != nil {
		t.Fatal(err)
	}
	s.follow(func(f frame) bool { return len(f.Failures) > 0 && f.Failures[0].Outcome == "restarted" })
	r := s.request("GET", "/metrics", nil)
	r.Header.Set("Accept", "text/plain")
	status, header, body := s.send(r)
	if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d, type %q: %s", status, header.Get("Content-Type"), body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := metainfo.Hash{0xab}.String()
	for _, want := range []struct {
		name, label string
		value       float64
	}{
		{"kouzui_download_rate_bytes", hash, 2048},
		{"kouzui_pieces", hash, 7},
		{"kouzui_have_pieces", hash, 3},
		{"kouzui_peers", hash, 5},
		{"kouzui_dht_nodes", hash, 8},
		{"kouzui_peers_by_source", "DHT", 4},
		{"kouzui_known_addresses", "DHT", 6},
		{"kouzui_actors", "child", 2},
		{"kouzui_actor_restarts_total", "child", 1},
		{"kouzui_actor_failures_total", "child", 1},
		{"kouzui_mailbox_depth_max", "child", 0},
		{"kouzui_mailbox_depth_sum", "child", 0},
		{"kouzui_trace_dropped_events_total", "", 0},
		{"kouzui_send_cost_seconds", "true", 2},
		{"kouzui_send_cost_seconds", "false", 3},
		{"kouzui_blocked_addresses_total", "inbound", 1},
		{"kouzui_blocked_addresses_total", "outbound", 5},
	} {
		found := false
		for _, m := range families[want.name].GetMetric() {
			if len(m.GetLabel()) == 0 && want.label == "" || len(m.GetLabel()) > 0 && m.GetLabel()[0].GetValue() == want.label {
				found = true
				if got := m.GetGauge().GetValue() + m.GetCounter().GetValue(); got != want.value {
					t.Errorf("%s: %v, want %v", want.name, got, want.value)
				}
			}
		}
		if !found {
			t.Errorf("%s{%s} is missing", want.name, want.label)
		}
	}
	for _, name := range []string{"kouzui_torrent_info", "go_goroutines", "go_memstats_heap_alloc_bytes", "kouzui_dead_letters_total"} {
		if families[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
}
