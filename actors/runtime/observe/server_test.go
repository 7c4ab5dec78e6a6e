package observe_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

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

func TestAddressesThatOtherMachinesReachAreRefused(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0"} {
		if _, err := observe.New(observe.Config{Addr: addr}); !errors.Is(err, observe.ErrRemote) {
			t.Errorf("%s: error %v", addr, err)
		}
	}
	for _, c := range []observe.Config{{Addr: "127.0.0.1:0"}, {Addr: "localhost:0"}, {Addr: "0.0.0.0:0", Remote: true}} {
		s, err := observe.New(c)
		if err != nil {
			t.Errorf("%s: %v", c.Addr, err)
		} else if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhoIsAnswered(t *testing.T) {
	s := newScene(t, "one")
	token := s.base.Query().Get("token")
	_, port, _ := net.SplitHostPort(s.base.Host)
	cookie := s.exchange()
	// with has the page's cookie instead of the token, and these headers.
	with := func(headers ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(cookie)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
		}
	}
	ours := "http://" + s.base.Host
	for _, c := range []struct {
		name, method, path string
		change             func(*http.Request)
		want               int
	}{
		{"the token in the query", "GET", "/", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 303},
		{"a wrong token in the query", "GET", "/", func(r *http.Request) { with()(r); r.URL.RawQuery = "token=" + token + "A" }, 401},
		{"the token in the query of a script", "GET", "/metrics", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 200},
		{"the token in the header of a script", "GET", "/metrics", nil, 200},
		{"the token in the header", "GET", "/", nil, 200},
		{"the cookie", "GET", "/", with(), 200},
		{"the cookie, from our page", "GET", "/metrics", with("Sec-Fetch-Site", "same-origin"), 200},
		{"the cookie, from the address bar", "GET", "/", with("Sec-Fetch-Site", "none"), 200},
		{"the cookie, from another port's page", "GET", "/actor", with("Sec-Fetch-Site", "same-site"), 401},
		{"the token as cookie", "GET", "/", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: token})
		}, 401},
		{"the cookie and a wrong token", "GET", "/", func(r *http.Request) { with("Authorization", "Bearer x")(r) }, 401},
		{"a write with the cookie", "POST", "/kill", with("Origin", ours), 404},
		{"a write with the cookie of no page", "POST", "/kill", with(), 401},
		{"a write with the cookie, from another port's page", "POST", "/kill", with("Origin", "http://127.0.0.1:1"), 403},
		{"no token", "GET", "/", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for the stream", "GET", "/events", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for metrics", "GET", "/metrics", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for profiles", "GET", "/debug/pprof/heap", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"a wrong token", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"A") }, 401},
		{"a part of the token", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[:25]) }, 401},
		{"a write with the token in the query", "POST", "/kill", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 401},
		{"a write by GET", "GET", "/kill", nil, 405},
		{"a write of nobody", "POST", "/kill", nil, 404},
		{"somebody else's name", "GET", "/", func(r *http.Request) { r.Host = "example.org:" + port }, 421},
		{"a name that begins like ours", "GET", "/", func(r *http.Request) { r.Host = "127.0.0.1.example.org" }, 421},
		{"localhost", "GET", "/", func(r *http.Request) { r.Host = "localhost:" + port }, 200},
		{"our own page", "GET", "/", func(r *http.Request) { r.Header.Set("Origin", "http://"+s.base.Host) }, 200},
		{"another site's page", "GET", "/", func(r *http.Request) { r.Header.Set("Origin", "http://example.org") }, 403},
		{"another port's page", "POST", "/kill", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		{"a page without an origin", "POST", "/kill", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		{"a profile", "GET", "/debug/pprof/goroutine", nil, 200},
		{"no such profile", "GET", "/debug/pprof/nothing", nil, 404},
		{"no such actor", "GET", "/actor", nil, 404},
		{"no such page", "GET", "/favicon.ico", nil, 404},
	} {
		r := s.request(c.method, c.path, nil)
		if c.change != nil {
			c.change(r)
		}
		status, header, _ := s.send(r)
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
		if p := header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") {
			t.Errorf("%s: policy %q", c.name, p)
		}
	}
}

// exchange gives the token for a cookie.
func (s *scene) exchange() *http.Cookie {
	s.t.Helper()
	r := s.request("GET", "/", nil)
	r.Header.Del("Authorization")
	r.URL.RawQuery = s.base.RawQuery
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	cookies := answer.Cookies()
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" || len(cookies) != 1 {
		s.t.Fatalf("%s to %q with %v", answer.Status, answer.Header.Get("Location"), cookies)
	}
	return cookies[0]
}

// No script can read the cookie, no other site can make a browser send it, it
// is not the token, and that of another run has another name.
func TestTheTokenIsExchangedForACookie(t *testing.T) {
	s := newScene(t, "one")
	cookie := s.exchange()
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.MaxAge != 0 {
		t.Errorf("%v", cookie)
	}
	if cookie.Value == s.base.Query().Get("token") || len(cookie.Value) < 26 {
		t.Errorf("value %q", cookie.Value)
	}
	if other := newScene(t, "two").exchange(); other.Name == cookie.Name {
		t.Errorf("two runs have the cookie %q", other.Name)
	}
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

// follow calls see for each frame until see returns true. It returns the lines
// that come after.
func (s *scene) follow(see func(frame) bool) *bufio.Scanner {
	s.t.Helper()
	answer, err := client.Do(s.request("GET", "/events", nil))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { answer.Body.Close() })
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		s.t.Fatalf("type %q", got)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var f frame
		if err := json.Unmarshal([]byte(data), &f); err != nil {
			s.t.Fatal(err)
		}
		if see(f) {
			return lines
		}
	}
	s.t.Fatal("the stream has ended")
	return nil
}

func TestTheStreamTellsAllAndThenWhatChanges(t *testing.T) {
	s := newScene(t, "one", "two")
	s.Notify(&messages.Progress{Name: "album", State: messages.StateChecking})
	frames, killed := 0, false
	lines := s.follow(func(f frame) bool {
		frames++
		if f.Full != (frames == 1) {
			t.Errorf("frame %d: full %v", frames, f.Full)
		}
		// The first one may have been made before the first events were read.
		for _, a := range f.Actors {
			if a.Path == "root/two" && a.State == "running" && !killed {
				killed = true
				if status, _, body := s.send(s.request("POST", "/kill", url.Values{"path": {"root/two"}})); status != 204 {
					t.Errorf("kill: %d %s", status, body)
				}
				s.Notify(&messages.TorrentFailed{Err: errors.New("lost"), Last: messages.Progress{Name: "album"}})
			}
			if a.Path == "root/two" && a.Incarnation == 2 {
				if a.Restarts != 1 || a.Reason != "injected fault: killed by hand" || a.Kind != "child" {
					t.Errorf("%+v", a)
				}
			}
			if killed && frames > 2 && a.Path == "root/one" {
				t.Error("an actor is told again though nothing has changed")
			}
		}
		for _, e := range f.Failures {
			if e.Outcome == "restarted" {
				if e.Actor != "root/two" || e.Action != "restart" {
					t.Errorf("%+v", e)
				}
				return true
			}
		}
		return false
	})
	go s.Close() //nolint:errcheck // once more, with its error, at the end
	for lines.Scan() {
		if lines.Text() == "event: end" {
			return
		}
	}
	t.Error("the page is not told that the run has ended")
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
	s.Notify(&messages.Progress{InfoHash: metainfo.Hash{0xab}, Name: "a\"b\\c\xff\n", DownNow: 2048, Pieces: 7, HavePieces: 3, Peers: 5})
	s.Notify(&messages.AddressesBlocked{Inbound: true, Count: 1})
	s.Notify(&messages.AddressesBlocked{Count: 2})
	s.Notify(&messages.AddressesBlocked{Count: 3})
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
		{"kouzui_actors", "child", 2},
		{"kouzui_actor_restarts_total", "child", 1},
		{"kouzui_actor_failures_total", "child", 1},
		{"kouzui_mailbox_depth_max", "child", 0},
		{"kouzui_mailbox_depth_sum", "child", 0},
		{"kouzui_trace_dropped_events_total", "", 0},
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
