package actors_test

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// fromInside lets a .torrent name web seeds on this machine.
func fromInside(o actors.Options) actors.Options {
	o.Pool = buffer.NewPool(256)
	o.World = real.New(real.Options{Pool: o.Pool, Version: "test", AllowPrivate: true})
	return o
}

// mirror is a server that has data at every path.
func mirror(t *testing.T, data []byte) (url string) {
	return serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(data))
	})
}

func serverOf(t *testing.T, handler http.HandlerFunc) (url string) {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL + "/x"
}

// A torrent whose only sources are web seeds completes. Of a server that cannot
// be used the user is told, and another one goes on.
func TestWebSeedsAlone(t *testing.T) {
	noFilesLeft(t)
	torrent, data := stage.Torrent(t, 6<<20+12345, 128<<10)
	for name, c := range map[string]struct {
		bad http.HandlerFunc // nil: none
		say string           // why it is given up
	}{
		"one": {},
		"one that lies": {func(w http.ResponseWriter, r *http.Request) {
			wrong := bytes.Clone(data)
			for i := range wrong {
				wrong[i]++
			}
			http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(wrong))
		}, "failed its hash check"},
		"one without ranges": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }, "does not serve parts of files"},
		"one without it":     {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			of := *torrent
			of.WebSeeds = []string{mirror(t, data)}
			if c.bad != nil {
				of.WebSeeds = []string{serverOf(t, c.bad)}
			}
			dir := t.TempDir()
			n := start(t, fromInside(actors.Options{}))
			n.add(&of, messages.TorrentOptions{Dir: dir})
			if c.bad != nil {
				end := await(n, func(*messages.TorrentWebSeedDropped) bool { return true })
				if !strings.Contains(end.Reason, c.say) || !strings.Contains(of.WebSeeds[0], end.Host) {
					t.Errorf("%s: %s, want %s", end.Host, end.Reason, c.say)
				}
				return
			}
			done := await(n, func(*messages.TorrentDone) bool { return true })
			if !done.Complete || done.Last.Downloaded != int64(len(data)) || done.Last.Wasted > 0 {
				t.Errorf("complete %v, downloaded %d and %d in vain, of %d", done.Complete, done.Last.Downloaded, done.Last.Wasted, len(data))
			}
			got, err := os.ReadFile(filepath.Join(dir, torrent.Name))
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("wrong data, or none: %v", err)
			}
		})
	}
}

// A server that lies is dropped, while one at the same host that does not goes
// on, and so does a peer.
func TestALyingWebSeedIsDroppedAlone(t *testing.T) {
	noFilesLeft(t)
	torrent, data := stage.Torrent(t, 4<<20, 128<<10)
	wrong := bytes.Clone(data)
	for i := 0; i < len(wrong); i += 1000 {
		wrong[i]++
	}
	torrent.WebSeeds = []string{mirror(t, wrong), mirror(t, data)}
	dir := t.TempDir()
	n := start(t, fromInside(actors.Options{}))
	n.add(torrent, messages.TorrentOptions{Dir: dir})
	dropped := 0
	await(n, func(m any) bool {
		if end, is := m.(*messages.TorrentWebSeedDropped); is {
			if dropped++; !strings.Contains(torrent.WebSeeds[0], end.Host) {
				t.Errorf("dropped: %s, %s", end.Host, end.Reason)
			}
		}
		_, done := m.(*messages.TorrentDone)
		return done
	})
	if got, err := os.ReadFile(filepath.Join(dir, torrent.Name)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	if dropped != 1 {
		t.Errorf("%d are dropped", dropped)
	}
}

// Of a torrent of several files each is asked for by its own URL, padding and
// what is empty not at all, and pieces are made of what several answers bring.
func TestWebSeedsOfSeveralFiles(t *testing.T) {
	noFilesLeft(t)
	_, data := stage.Torrent(t, 1<<20, 64<<10)
	spec := metainfo.Spec{Name: "album ö", PieceLength: 40_000}
	files := map[string][]byte{}
	var content []byte
	for i, size := range []int{100_000, 0, 7, 16 << 10, 300_000, 50_001} {
		path := fmt.Sprintf("a b/%d?.bin", i)
		files["/pub/album ö/"+path] = data[:size]
		content, data = append(content, data[:size]...), data[size:]
		spec.Files = append(spec.Files, metainfo.FileSpec{Path: strings.Split(path, "/"), Length: int64(size)})
		if i == 3 {
			pad := 40_000 - len(content)%40_000
			content = append(content, make([]byte, pad)...)
			spec.Files = append(spec.Files, metainfo.FileSpec{Path: []string{".pad", fmt.Sprint(pad)}, Length: int64(pad), Padding: true})
		}
	}
	for rest := content; len(rest) > 0; rest = rest[min(40_000, len(rest)):] {
		sum := sha1.Sum(rest[:min(40_000, len(rest))])
		spec.Pieces = append(spec.Pieces, sum[:]...)
	}
	var odd atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, is := files[r.URL.Path]
		if !is || len(file) == 0 {
			odd.Add(1)
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(s.Close)
	spec.WebSeeds = []string{s.URL + "/pub/"}
	raw, err := metainfo.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	torrent, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	n := start(t, fromInside(actors.Options{}))
	n.add(torrent, messages.TorrentOptions{Dir: dir})
	if done := await(n, func(*messages.TorrentDone) bool { return true }); !done.Complete || odd.Load() > 0 {
		t.Errorf("complete %v, with %d odd requests", done.Complete, odd.Load())
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(path, "/pub/")))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: wrong data, or none: %v", path, err)
		}
	}
}
