//go:build linux

package interop

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// Of two seeds one is so slow that the other one takes over, which is not so
// fast that the slow one is asked for nothing. In bytes a second.
const (
	slowly  = 16 << 10
	quickly = 256 << 10
)

var libtorrent = counterpart.Clients[slices.IndexFunc(counterpart.Clients, func(c counterpart.Client) bool { return c.Name == "libtorrent" })]

// frames is how many frames of the fast extension a libtorrent has sent and
// received.
type frames struct {
	mu      sync.Mutex
	out, in map[string]int
	more    chan struct{} // closed and made anew when more are counted
}

func count(task *counterpart.Task) *frames {
	f := &frames{more: make(chan struct{})}
	task.Frames = func(out, in map[string]int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.out, f.in = maps.Clone(out), maps.Clone(in)
		close(f.more)
		f.more = make(chan struct{})
	}
	return f
}

// await waits until what was counted is enough.
func (f *frames) await(t *testing.T, ctx context.Context, enough func(out, in map[string]int) bool) {
	t.Helper()
	for {
		f.mu.Lock()
		out, in, more := f.out, f.in, f.more
		f.mu.Unlock()
		if enough(out, in) {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			t.Errorf("libtorrent has sent %v and received %v", out, in)
			return
		}
	}
}

func fastContent(t *testing.T) *noise.Content {
	content, err := noise.New(t.TempDir(), "fast", 64<<10, []metainfo.FileSpec{{Length: 1 << 20}}, nobody)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestFastDownload downloads from two libtorrents, one of them slow. At the end
// what the slow one has not sent yet is asked of the other one, and cancelled:
// each cancel is answered with a reject.
func TestFastDownload(t *testing.T) {
	t.Parallel()
	version := installed(t, libtorrent.Version)
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := fastContent(t)
	runs.begin(t, libtorrent.Name, version, "downloads", "fast extension", kouzui.Name)
	to := newTask(t, kouzui, content)
	var slow *frames
	for _, up := range []int64{slowly, quickly} {
		from := seedTask(t, libtorrent, content)
		from.Up = up
		if up == slowly {
			slow = count(&from)
		}
		start(t, ctx, libtorrent, from)
		to.Peers = append(to.Peers, from.Place.Peer())
	}
	fetches(t, ctx, start(t, ctx, kouzui, to), kouzui, to.Dir, content)
	slow.await(t, ctx, func(out, in map[string]int) bool {
		return out["HAVE_ALL"] == 1 && out["ALLOWED_FAST"] > 0 && out["REJECT_PIECE"] > 0 && in["HAVE_NONE"] == 1
	})
}

// TestFastSeed lets libtorrent download, and wants the fast extension spoken.
func TestFastSeed(t *testing.T) {
	t.Parallel()
	version := installed(t, libtorrent.Version)
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := fastContent(t)
	runs.begin(t, libtorrent.Name, version, "seeds", "fast extension", libtorrent.Name)
	seeder := counterpart.Kouzui(program, "--super-seed=never")
	from, to := seedTask(t, seeder, content), newTask(t, libtorrent, content)
	start(t, ctx, seeder, from)
	got := count(&to)
	to.Peers = []string{from.Place.Peer()}
	fetches(t, ctx, start(t, ctx, libtorrent, to), libtorrent, to.Dir, content)
	got.await(t, ctx, func(out, in map[string]int) bool { return in["HAVE_ALL"] == 1 && out["HAVE_NONE"] == 1 })
}
