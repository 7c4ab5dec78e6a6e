package kouzui_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"kouzui"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, c kouzui.Config) *kouzui.Client {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	client, err := kouzui.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client
}

// seed opens a client that has all of the torrent, and returns where it
// listens.
func seed(t testing.TB, m *kouzui.Metainfo, data []byte) (*kouzui.Torrent, netip.AddrPort) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, m.Name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	client := open(t, kouzui.Config{Dir: dir})
	torrent, err := client.AddMetainfo(m, kouzui.Options{Seed: true, MustExist: true, SuperSeed: kouzui.SuperSeedNever})
	if err != nil {
		t.Fatal(err)
	}
	if err := torrent.WaitComplete(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr, err := client.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return torrent, addr
}

func TestDownload(t *testing.T) {
	m, data := stage.Torrent(t, 4<<20+123, 64<<10)
	seeding, addr := seed(t, m, data)
	dir := t.TempDir()
	client := open(t, kouzui.Config{Dir: dir})
	all, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := client.Events(all)
	torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}, Seed: true})
	if err != nil {
		t.Fatal(err)
	}
	own := torrent.Events(t.Context())
	if err := torrent.WaitComplete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, m.Name)); err != nil || !bytes.Equal(got, data) {
		t.Errorf("wrong data, or none: %v", err)
	}
	if again, err := client.AddMetainfo(m, kouzui.Options{}); again != nil || !errors.Is(err, kouzui.ErrAdded) {
		t.Errorf("added again: %v", err)
	}

	if s, err := torrent.Status(t.Context()); err != nil || s.HavePieces != m.PieceCount() || s.Downloaded != int64(len(data)) {
		t.Errorf("the status is %+v, %v", s, err)
	}
	if files, err := torrent.Files(t.Context()); err != nil || !slices.Equal(files, []kouzui.File{{Path: m.Name, Length: m.Length, Have: m.Length, Priority: kouzui.PriorityNormal}}) {
		t.Errorf("the files are %+v, %v", files, err)
	}
	if peers, err := seeding.Peers(t.Context()); err != nil || len(peers) > 1 || len(peers) == 1 && peers[0].Source != messages.Incoming {
		t.Errorf("the peers of the seed are %+v, %v", peers, err)
	}
	if trackers, err := torrent.Trackers(t.Context()); err != nil || len(trackers) > 0 {
		t.Errorf("the trackers are %+v, %v", trackers, err)
	}
	if list := client.Torrents(); !slices.Equal(list, []*kouzui.Torrent{torrent}) {
		t.Errorf("the torrents are %v", list)
	}

	if err := torrent.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := torrent.Wait(t.Context()); err != nil {
		t.Errorf("a complete torrent ends with %v", err)
	}
	pieces, completed := 0, 0
	for e := range own {
		switch e := e.(type) {
		case kouzui.PiecesVerified:
			pieces += len(e.Pieces)
		case kouzui.Completed:
			completed++
		case kouzui.Ended:
			if e.Torrent != torrent || e.Err != nil || e.Status.Downloaded != int64(len(data)) {
				t.Errorf("ended is %+v", e)
			}
		}
	}
	if pieces != m.PieceCount() || completed != 1 {
		t.Errorf("events tell of %d pieces, and %d times that it is complete", pieces, completed)
	}
	for e := range events {
		if _, is := e.(kouzui.Ended); is {
			break
		}
	}
	for e := range torrent.Events(t.Context()) {
		if ended, is := e.(kouzui.Ended); !is || ended.Err != nil {
			t.Errorf("after the end comes %T %+v", e, e)
		}
	}
	if _, err := torrent.Files(t.Context()); !errors.Is(err, kouzui.ErrEnded) {
		t.Errorf("asked after its end: %v", err)
	}
	if s, err := torrent.Status(t.Context()); !errors.Is(err, kouzui.ErrEnded) || s.Left != 0 || s.State != kouzui.StateStopped {
		t.Errorf("its last status is %+v, %v", s, err)
	}
	if list := client.Torrents(); len(list) > 0 {
		t.Errorf("the torrents are %v", list)
	}
}

// A .torrent from anywhere, and those that are none.
func TestAdd(t *testing.T) {
	m, data := stage.Torrent(t, 1000, 16<<10)
	raw := encoded(t, m, data)
	path := filepath.Join(t.TempDir(), "a.torrent")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	client := open(t, kouzui.Config{})
	for name, add := range map[string]func() (*kouzui.Torrent, error){
		"reader":   func() (*kouzui.Torrent, error) { return client.Add(bytes.NewReader(raw), kouzui.Options{}) },
		"file":     func() (*kouzui.Torrent, error) { return client.AddFile(path, kouzui.Options{}) },
		"metainfo": func() (*kouzui.Torrent, error) { return client.AddMetainfo(m, kouzui.Options{}) },
		"hash":     func() (*kouzui.Torrent, error) { return client.AddHash(m.InfoHash, kouzui.Options{}) },
	} {
		torrent, err := add()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if torrent.InfoHash() != m.InfoHash {
			t.Errorf("%s: the hash is %v", name, torrent.InfoHash())
		}
		if err := torrent.Stop(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := torrent.Wait(t.Context()); !errors.Is(err, kouzui.ErrStopped) {
			t.Errorf("%s: ends with %v", name, err)
		}
	}
	var bad *kouzui.MetainfoError
	if _, err := client.Add(strings.NewReader("no torrent"), kouzui.Options{}); !errors.As(err, &bad) {
		t.Errorf("no torrent: %v", err)
	}
	if _, err := client.AddFile(path+"x", kouzui.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// What is in a torrent is told after its hash.
func TestMetainfoComesLater(t *testing.T) {
	m, data := stage.Torrent(t, 1<<20, 64<<10)
	_, addr := seed(t, m, data)
	// The seed's offer of the metadata comes too late to be used.
	late, err := fault.Parse("delay,actor=*/metadata,message=MetadataOffered,time=1h")
	if err != nil {
		t.Fatal(err)
	}
	client := open(t, kouzui.Config{Faults: []fault.Spec{late}})
	torrent, err := client.AddHash(m.InfoHash, kouzui.Options{Peers: []netip.AddrPort{addr}})
	if err != nil {
		t.Fatal(err)
	}
	if torrent.Metainfo() != nil || torrent.Name() != m.InfoHash.String() {
		t.Errorf("it is called %s", torrent.Name())
	}
	if peers, err := torrent.Peers(t.Context()); err != nil || len(peers) > 0 {
		t.Errorf("the peers are %v, %v", peers, err)
	}
	other, _ := stage.Torrent(t, 2000, 16<<10)
	if torrent.SetMetainfo(other) == nil || torrent.SetMetainfo(nil) == nil {
		t.Error("the metainfo of another torrent, or none, is taken")
	}
	for range 2 {
		if err := torrent.SetMetainfo(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := torrent.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if torrent.Metainfo() != m || torrent.Name() != m.Name {
		t.Errorf("it is called %s", torrent.Name())
	}
	if err := torrent.SetMetainfo(m); !errors.Is(err, kouzui.ErrEnded) {
		t.Error(err)
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	var wrong *kouzui.OptionError
	for _, c := range []kouzui.Config{
		{Memory: -1}, {Memory: 1}, {DownloadLimit: -1}, {UploadLimit: -1}, {MaxConnections: -1}, {SampleMailboxes: -1},
		{Restarts: supervise.Backoff{Factor: math.NaN()}}, {Trace: []event.Sink{nil}}, {Encryption: "on"}, {Patterns: kouzui.Patterns{"picker": "x"}}, {Patterns: kouzui.Patterns{"x": "random"}},
		{Patterns: kouzui.Patterns{"supervision": "stop"}, Restarts: supervise.DefaultBackoff},
	} {
		if client, err := kouzui.Open(c); client != nil || !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	m, _ := stage.Torrent(t, 1000, 16<<10)
	client := open(t, kouzui.Config{})
	for _, o := range []kouzui.Options{
		{Check: "x"}, {SuperSeed: "x"}, {Picker: "x"}, {Choker: "x"}, {MaxPeers: -1}, {UploadSlots: -1}, {SeedFor: -1}, {StallTimeout: -1},
		{Patterns: kouzui.Patterns{"picker": "x"}}, {Picker: "random", Patterns: kouzui.Patterns{"picker": "rarest"}},
		{SeedRatio: -1}, {SeedRatio: math.NaN()}, {SeedRatio: math.Inf(1)},
		{Peers: []netip.AddrPort{{}}}, {Trackers: []string{"::"}}, {Trackers: []string{"ftp://a/b"}}, {Trackers: []string{"udp://a"}}, {Trackers: []string{"ws://a:1"}},
	} {
		if torrent, err := client.AddMetainfo(m, o); torrent != nil || !errors.As(err, &wrong) || wrong.Error() == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := client.SetLimits(-1, 0); !errors.As(err, &wrong) {
		t.Error(err)
	}
}

func TestTrackersAndPeersCanBeAsked(t *testing.T) {
	m, data := stage.Torrent(t, 1<<20, 16<<10)
	_, addr := seed(t, m, data)
	client := open(t, kouzui.Config{DownloadLimit: 64 << 10})
	torrent, err := client.AddMetainfo(m, kouzui.Options{
		Peers: []netip.AddrPort{addr}, Trackers: []string{" HTTP://127.0.0.1:1/announce"},
	})
	if err != nil {
		t.Fatal(err)
	}
	announced, connected := false, false
	for e := range torrent.Events(t.Context()) {
		switch e := e.(type) {
		case kouzui.Announced:
			announced = announced || e.Failed != nil
		case kouzui.Progress:
			connected = connected || e.Status.Peers > 0
		}
		if announced && connected {
			break
		}
	}
	trackers, err := torrent.Trackers(t.Context())
	if err != nil || len(trackers) != 1 || !trackers[0].Active || trackers[0].Failed == nil || trackers[0].Failed.URL != "http://127.0.0.1:1/announce" {
		t.Errorf("the trackers are %+v, %v", trackers, err)
	}
	peers, err := torrent.Peers(t.Context())
	if err != nil || len(peers) != 1 || peers[0].Addr != addr || peers[0].Source != messages.Manual {
		t.Errorf("the peers are %+v, %v", peers, err)
	}
	files, err := torrent.Files(t.Context())
	if err != nil || len(files) != 1 || files[0].Have > files[0].Length {
		t.Errorf("the files are %+v, %v", files, err)
	}
}

// encoded is the .torrent of one that has been parsed.
func encoded(t testing.TB, m *kouzui.Metainfo, data []byte) []byte {
	t.Helper()
	raw, err := io.ReadAll(io.MultiReader(strings.NewReader("d4:info"), bytes.NewReader(m.Info()), strings.NewReader("e")))
	if err != nil || len(data) != int(m.Length) {
		t.Fatal(err)
	}
	return raw
}
