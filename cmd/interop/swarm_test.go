//go:build linux

package interop

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"kouzui/cmd/internal/noise"
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

	var all members
	var dial []string // those who do not connect to the address that the tracker has of kouzui
	for _, client := range counterpart.Clients {
		task := newTask(t, client, content)
		all.join(t, ctx, client, task)
		if !client.Dials {
			dial = append(dial, task.Place.Peer())
		}
	}
	for _, part := range split(t, ctx, content, parts) {
		task := newTask(t, kouzui, content)
		task.Dir, task.Stay, task.Peers = part, true, dial
		all.join(t, ctx, kouzui, task)
	}
	all.complete(t, ctx, content)
}

// split returns n folders, each with a share of the pieces of the content.
func split(t *testing.T, ctx context.Context, c *noise.Content, n int) (folders []string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "parts")
	split := exec.CommandContext(ctx, program, "split", c.Torrent, "--data", c.Dir, "-n", strconv.Itoa(n), "--out", out)
	if text, err := split.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", split, err, text)
	}
	for i := range n {
		folders = append(folders, filepath.Join(out, strconv.Itoa(i+1)))
	}
	return folders
}

// members are the clients of a swarm.
type members []member

type member struct {
	*counterpart.Process
	dir    string
	client counterpart.Client
}

func (all *members) join(t *testing.T, ctx context.Context, client counterpart.Client, task counterpart.Task) {
	t.Helper()
	*all = append(*all, member{start(t, ctx, client, task), task.Dir, client})
}

// complete waits until each has downloaded the content, and checks what it has.
func (all members) complete(t *testing.T, ctx context.Context, content *noise.Content) {
	t.Helper()
	for _, m := range all {
		if err := m.Complete(ctx); err != nil {
			t.Error(err)
		} else if err := content.Verify(m.dir, m.client.LeavesOutEmpty); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
}
