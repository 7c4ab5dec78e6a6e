package observe_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"kouzui/messages"
)

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
