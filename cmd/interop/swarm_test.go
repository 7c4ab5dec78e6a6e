//go:build linux

package interop

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"kouzui/cmd/interop/counterpart"
)

// TestSwarm begins without a complete client: three kouzui have a third of the
// pieces each, and all others have nothing. In the end all clients are
// complete.
func TestSwarm(t *testing.T) {
	t.Parallel()
	const parts = 3
	tracker := counterpart.Opentracker
	version := installed(t, tracker.Version)
	for _, client := range counterpart.Clients {
		installed(t, client.Version)
	}
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := tracked(t, ctx, tracker, "")
	runs.begin(t, "all of them", version, "takes part", "folder", "all")

	out := filepath.Join(t.TempDir(), "parts")
	split := exec.CommandContext(ctx, program, "split", content.Torrent, "--data", content.Dir, "-n", strconv.Itoa(parts), "--out", out)
	if text, err := split.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", split, err, text)
	}
	type member struct {
		*counterpart.Process
		dir    string
		client counterpart.Client
	}
	var members []member
	var dial []string // those who do not connect to the address that the tracker has of kouzui
	join := func(client counterpart.Client, task counterpart.Task) {
		members = append(members, member{start(t, ctx, client, task), task.Dir, client})
	}
	for _, client := range counterpart.Clients {
		task := newTask(t, client, content)
		join(client, task)
		if !client.Dials {
			dial = append(dial, task.Place.Peer())
		}
	}
	for i := range parts {
		task := newTask(t, kouzui, content)
		task.Dir, task.Stay, task.Peers = filepath.Join(out, strconv.Itoa(i+1)), true, dial
		join(kouzui, task)
	}
	for _, m := range members {
		if err := m.Complete(ctx); err != nil {
			t.Error(err)
		} else if err := content.Verify(m.dir, m.client.LeavesOutEmpty); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}
