package actors_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/announce"
)

// Half of the pieces are wanted, and then all. The torrent is complete each
// time, with the right bytes, fetched once. The data has its final name only at
// the end, and only then the tracker hears that the download is complete.
func TestHalfIsWantedAndThenAll(t *testing.T) {
	noFilesLeft(t)
	for _, killed := range []string{"", "engine", "torrent"} {
		t.Run("killed "+killed, func(t *testing.T) { halfThenAll(t, killed) })
	}
}

func halfThenAll(t *testing.T, killed string) {
	t.Parallel()
	const pieceLength = 128 << 10
	torrent, data := stage.Torrent(t, 8<<20+999, pieceLength)
	_, addr := seed(t, torrent, data, actors.Options{})
	tracker := newListeningTracker(t, addr)
	torrent.Announce = [][]string{{tracker.url}}

	half, size := bitset.New(uint(torrent.PieceCount())), int64(0)
	for i := range torrent.PieceCount() {
		if i%2 == 1 {
			half.Set(uint(i))
			size += torrent.PieceSize(i)
		}
	}
	dir := t.TempDir()
	n := start(t, actors.Options{Limits: messages.SetLimits{Down: 8 << 20}})
	n.Add(torrent, messages.TorrentOptions{Dir: dir, Wanted: half.Clone(), Seed: true})
	first := await(n, func(*messages.TorrentCompleted) bool { return true })
	if first.Last.Downloaded != size || first.Last.Have != size || first.Last.Left != 0 {
		t.Errorf("of %d wanted bytes %d are fetched, %d there, and %d left", size, first.Last.Downloaded, first.Last.Have, first.Last.Left)
	}
	partial, err := os.ReadFile(filepath.Join(dir, torrent.PartName()))
	if err != nil {
		t.Fatal(err)
	}
	for i, is := half.NextSet(0); is; i, is = half.NextSet(i + 1) {
		from := int(i) * pieceLength
		end := min(from+pieceLength, len(data))
		if !bytes.Equal(partial[from:min(end, len(partial))], data[from:end]) {
			t.Errorf("piece %d is wrong", i)
		}
	}

	path := "client/torrents/torrent-" + torrent.InfoHash.String()[:8]
	switch killed {
	case "engine":
		path += "/engine"
		fallthrough
	case "torrent":
		if err := n.Tree().Kill(path, "on purpose"); err != nil {
			t.Fatal(err)
		}
	}
	n.SetWanted(torrent.InfoHash, nil)
	// A restarted torrent may say once more that half of it is complete.
	all := await(n, func(m *messages.TorrentCompleted) bool { return m.Last.HavePieces == m.Last.Pieces })
	if all.Last.Downloaded != int64(len(data)) || all.Last.Left != 0 {
		t.Errorf("of %d bytes %d are fetched, %d left", len(data), all.Last.Downloaded, all.Last.Left)
	}
	if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	n.Stop(torrent.InfoHash)
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete {
		t.Error("it is not complete")
	}
	completed := 0
	for _, r := range tracker.heard() {
		if r.Event == announce.Completed {
			completed++
			if r.Left != 0 {
				t.Errorf("the tracker hears that the download is complete, with %d bytes left", r.Left)
			}
		}
	}
	if completed != 1 {
		t.Errorf("the tracker hears %d times that the download is complete", completed)
	}
}

// listeningTracker is a tracker that knows a peer, and remembers what it was
// told.
type listeningTracker struct {
	url      string
	mu       sync.Mutex
	requests []announce.Request
}

func newListeningTracker(t *testing.T, peer netip.AddrPort) *listeningTracker {
	l := &listeningTracker{}
	reply := announce.AppendReply(nil, announce.Reply{Interval: 5 * time.Second, Peers: []announce.Peer{{Addr: peer}}}, true)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := announce.ParseRequest(r.URL.RawQuery)
		if err != nil {
			t.Error(err)
		}
		l.mu.Lock()
		l.requests = append(l.requests, request)
		l.mu.Unlock()
		_, _ = w.Write(reply)
	}))
	t.Cleanup(s.Close)
	l.url = s.URL + "/announce"
	return l
}

func (l *listeningTracker) heard() []announce.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}
