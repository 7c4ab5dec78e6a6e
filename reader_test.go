package kouzui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"testing/iotest"

	"kouzui"
	"kouzui/actors/lab/stage"
)

// What is at the place of a reader comes first, wherever it goes, and at the
// beginning the file's end, where containers may have their index.
func TestReaderIsServedFirst(t *testing.T) {
	const piece = 64 << 10
	m, data := stage.Torrent(t, 400*piece, piece)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{DownloadLimit: 16 * piece}) // all would take half a minute
	torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}, Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := torrent.NewReader(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, at := range []int64{0, m.Length - 10, 200*piece + 7} {
		if _, err := r.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 10)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, data[at:at+10]) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if s, err := torrent.Status(t.Context()); err != nil || s.Left == 0 || s.HavePieces > 200 {
		t.Errorf("of %d pieces %d had to come first: %v", s.Pieces, s.HavePieces, err)
	}
}

func TestReader(t *testing.T) {
	m, data := stage.Torrent(t, 1<<20+123, 64<<10)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{})
	torrent, err := client.AddHash(m.InfoHash, kouzui.Options{Peers: []netip.AddrPort{addr}, Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := torrent.NewReader(t.Context(), 0) // waits for the metainfo
	if err != nil {
		t.Fatal(err)
	}
	if r.Length() != m.Length {
		t.Errorf("%d bytes", r.Length())
	}
	if err := iotest.TestReader(r, data); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("a closed reader reads")
	}
	var wrong *kouzui.OptionError
	if _, err := torrent.NewReader(t.Context(), 1); !errors.As(err, &wrong) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// A reader that waits ends with its context, and with the torrent.
func TestReaderEnds(t *testing.T) {
	m, _ := stage.Torrent(t, 1<<20, 64<<10)
	client := open(t, kouzui.Config{})
	torrent, err := client.AddMetainfo(m, kouzui.Options{Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	read := func(ctx context.Context) <-chan error {
		r, err := torrent.NewReader(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		answer := make(chan error, 1)
		go func() {
			defer r.Close()
			_, err := r.Read(make([]byte, 10))
			answer <- err
		}()
		return answer
	}
	ctx, cancel := context.WithCancel(t.Context())
	first, second := read(ctx), read(t.Context())
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := torrent.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-second; !errors.Is(err, kouzui.ErrEnded) && !errors.Is(err, kouzui.ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := torrent.NewReader(t.Context(), 0); err != nil {
		t.Errorf("the reader of one that has ended: %v", err)
	}
}
