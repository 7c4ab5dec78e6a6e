//go:build linux

package interop

import (
	"context"
	"slices"
	"strings"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
)

func trackers() []counterpart.Tracker {
	return []counterpart.Tracker{counterpart.Opentracker, counterpart.NodeTracker(npm), counterpart.KouzuiTracker(program)}
}

// TestTracker lets one kouzui seed, and a kouzui and two other clients
// download. They find each other only through the tracker, which they ask over
// HTTP or UDP.
func TestTracker(t *testing.T) {
	for _, tracker := range trackers() {
		for _, protocol := range []string{"http", "udp"} {
			t.Run(tracker.Name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				meetAt(t, tracker, protocol)
			})
		}
	}
}

func meetAt(t *testing.T, tracker counterpart.Tracker, protocol string) {
	leeches := append([]counterpart.Client{kouzui}, counterpart.Clients[:2]...)
	version := installed(t, tracker.Version)
	for _, leech := range leeches {
		installed(t, leech.Version)
	}
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := tracked(t, ctx, tracker, protocol)
	runs.begin(t, tracker.Name, version, "announces", "folder", "all by "+protocol)

	start(t, ctx, kouzui, seedTask(t, kouzui, content))
	if err := tracker.Knows(ctx, content, 1); err != nil {
		t.Fatal(err)
	}
	var tasks []counterpart.Task
	var downloads []*counterpart.Process
	for _, leech := range leeches {
		task := newTask(t, leech, content)
		task.UDP = protocol == "udp"
		tasks = append(tasks, task)
		downloads = append(downloads, start(t, ctx, leech, task))
	}
	for i, p := range downloads {
		if err := p.Complete(ctx); err != nil {
			t.Error(err)
		} else if err := content.Verify(tasks[i].Dir, leeches[i].LeavesOutEmpty); err != nil {
			t.Error(err)
		}
	}
}

// tracked starts a tracker and returns content that is announced there, by one
// protocol or, if it is "", by all that the tracker speaks.
func tracked(t *testing.T, ctx context.Context, tracker counterpart.Tracker, protocol string) *noise.Content {
	t.Helper()
	at := counterpart.NewPlace()
	urls := slices.DeleteFunc(tracker.Announce(at), func(s string) bool { return !strings.HasPrefix(s, protocol) })
	content, err := noise.New(t.TempDir(), "tracked", 64<<10, folder, urls...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := tracker.Start(ctx, t.TempDir(), at, content.Info.InfoHash.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return content
}
