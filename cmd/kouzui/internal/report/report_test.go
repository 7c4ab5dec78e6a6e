package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"kouzui"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"kouzui/actors/runtime/event"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

func lines(t *testing.T, write func(*Lines)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	l := New(&out, func() time.Time { return time.Unix(1_000_000_000, 0) })
	write(l)
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	var list []map[string]any
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if m["v"] != 1.0 || m["ts"] != "2001-09-09T01:46:40.000Z" {
			t.Errorf("a line without its head: %s", line)
		}
		list = append(list, m)
	}
	return list
}

func TestProgress(t *testing.T) {
	got := lines(t, func(l *Lines) {
		for second := range 5 {
			l.Event(kouzui.Progress{Status: kouzui.Status{
				Name: "a\x1b", State: kouzui.StateDownloading, At: time.Unix(1_000_000_000+int64(second), 0),
				Length: 100, Have: 40, Left: 60, DownNow: 6,
			}})
		}
		l.Event(kouzui.Progress{Status: kouzui.Status{InfoHash: kouzui.Hash{1}, State: kouzui.StateDownloading, Left: 60}})
	})
	for key, want := range map[string]any{"type": "progress", "name": "a\x1b", "state": "downloading", "have": 40.0, "eta": 10.0} {
		if got[4][key] != want {
			t.Errorf("%s is %v, want %v", key, got[4][key], want)
		}
	}
	for _, i := range []int{0, 5} {
		if eta, there := got[i]["eta"]; !there || eta != nil {
			t.Errorf("nobody knows when it ends, but eta is %v", eta)
		}
	}
}

func TestTracker(t *testing.T) {
	got := lines(t, func(l *Lines) {
		l.Event(kouzui.Announced{Replied: &messages.TrackerReplied{URL: "http://a", Seeders: 0, Leechers: -1, Peers: 3}})
		l.Event(kouzui.Announced{Failed: &messages.TrackerFailed{URL: "http://b", Phase: "dns", Err: errors.New("no such host")}})
	})
	if _, there := got[0]["leechers"]; got[0]["ok"] != true || got[0]["peers"] != 3.0 || got[0]["seeders"] != 0.0 || there {
		t.Errorf("got %v", got[0])
	}
	for _, key := range []string{"seeders", "leechers", "peers"} {
		if count, there := got[1][key]; there {
			t.Errorf("of no reply %s is %v", key, count)
		}
	}
	if got[1]["ok"] != false || got[1]["phase"] != "dns" || got[1]["error"] != "no such host" {
		t.Errorf("got %v", got[1])
	}
}

func TestPieces(t *testing.T) {
	got := lines(t, func(l *Lines) { l.Event(kouzui.PiecesVerified{Pieces: []uint32{7, 3}}) })
	if diff := cmp.Diff([]any{7.0, 3.0}, got[0]["pieces"]); got[0]["type"] != "piece" || diff != "" {
		t.Errorf("got %v", got[0])
	}
}

// TestSupervision: the line about a restart has the reason of the failure.
func TestSupervision(t *testing.T) {
	got := lines(t, func(l *Lines) {
		for _, e := range []*event.Event{
			{Kind: event.Started, Actor: "client/x/peer-1", ActorKind: "peer"},
			{Kind: event.Started, Actor: "client/x/store", ActorKind: "store"},
			{Kind: event.Failed, Actor: "client/x/store", Reason: "a bug"},
			{Kind: event.Restarted, Actor: "client/x/store", Incarnation: 2, Down: 1500 * time.Millisecond},
			{Kind: event.Stopped, Actor: "client/x/peer-1", ActorKind: "inbound-peer", Reason: "closed"},
		} {
			l.Event(e)
		}
	})
	if len(got) != 3 {
		t.Fatalf("%d lines, want 3: %v", len(got), got)
	}
	if got[0]["event"] != "began" || got[2]["event"] != "ended" || got[2]["reason"] != "closed" {
		t.Errorf("got %v and %v", got[0], got[2])
	}
	if r := got[1]; r["type"] != "restart" || r["reason"] != "a bug" || r["incarnation"] != 2.0 || r["down"] != 1.5 {
		t.Errorf("got %v", r)
	}
}

func TestEnd(t *testing.T) {
	sum := Totals{Bytes: 10, Wasted: 1, Seconds: 2, Corrupt: 3, Restarts: 4}
	got := lines(t, func(l *Lines) {
		l.End(0, nil, sum)
		l.End(9, errors.New("disk full"), sum)
	})
	if got[0]["type"] != "done" || got[0]["exit"] != 0.0 || got[1]["type"] != "error" || got[1]["error"] != "disk full" {
		t.Errorf("got %v", got)
	}
	for key, want := range map[string]any{"exit": 9.0, "bytes": 10.0, "wasted": 1.0, "seconds": 2.0, "sha_failures": 3.0, "restarts": 4.0} {
		if got[1][key] != want {
			t.Errorf("%s is %v, want %v", key, got[1][key], want)
		}
	}
}

type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("nobody reads")
}

func TestBrokenWriter(t *testing.T) {
	var w broken
	l := New(&w, time.Now)
	l.Warning("a")
	l.Warning("b")
	if l.Err() == nil || w.writes != 1 {
		t.Errorf("%d writes, error %v", w.writes, l.Err())
	}
}

// Names and texts from the network cannot steer a terminal, and the JSON gives
// them back unchanged.
func TestLinesSteerNoTerminal(t *testing.T) {
	const text = "a\x1b[2J\x7f\u009b31m\u202e\u2066\u2028<b>\xff\U0001F409"
	var b bytes.Buffer
	New(&b, time.Now).Warning(text)
	line := strings.TrimSuffix(b.String(), "\n")
	if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 }); i >= 0 {
		t.Errorf("%q in %q", line[i], line)
	}
	var back struct{ Text string }
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Text != strings.ToValidUTF8(text, "\ufffd") {
		t.Errorf("read back as %q, %v", back.Text, err)
	}
}

func TestNoKeysOfTrackers(t *testing.T) {
	var b bytes.Buffer
	New(&b, time.Now).Meta(&metainfo.Torrent{Announce: [][]string{{"http://t.example/5ec7e7/announce?5ec7e7"}}}, "/")
	if line := b.String(); strings.Contains(line, "5ec7e7") || !strings.Contains(line, `"trackers":[["http://t.example/***/announce?***"]]`) {
		t.Error(line)
	}
}
