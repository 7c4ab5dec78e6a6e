package kouzui_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kouzui"
	"kouzui/wire/metainfo"
)

// folderOf makes a torrent of files of these lengths, and its data in a folder.
func folderOf(t *testing.T, lengths ...int64) (*kouzui.Metainfo, string) {
	t.Helper()
	spec := metainfo.Spec{Name: "folder", PieceLength: 32 << 10}
	var data []byte
	for i, n := range lengths {
		spec.Files = append(spec.Files, metainfo.FileSpec{Path: []string{fmt.Sprint(i, ".bin")}, Length: n})
		data = append(data, bytes.Repeat([]byte{byte(i + 1)}, int(n))...)
	}
	for piece := range slices.Chunk(data, int(spec.PieceLength)) {
		sum := sha1.Sum(piece)
		spec.Pieces = append(spec.Pieces, sum[:]...)
	}
	raw, err := metainfo.Encode(spec)
	if err != nil {
		t.Fatal(err)
	}
	m, err := kouzui.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i, f := range m.Files {
		path := filepath.Join(dir, m.Name, filepath.Join(f.Path...))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data[f.Offset:f.Offset+m.Files[i].Length], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m, dir
}

func chosen(t *testing.T, files string) *kouzui.Choice {
	t.Helper()
	s, err := kouzui.ParseFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	return &kouzui.Choice{Select: []kouzui.FileSelector{s}}
}

// A torrent is complete when the chosen files are; more can be chosen while it
// runs, and it is complete once more.
func TestChoose(t *testing.T) {
	m, from := folderOf(t, 100_000, 50_000, 200_000)
	source := open(t, kouzui.Config{Dir: from})
	seeding, err := source.AddMetainfo(m, kouzui.Options{Seed: true, MustExist: true, SuperSeed: kouzui.SuperSeedNever})
	if err == nil {
		err = seeding.WaitComplete(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	addr, err := source.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	client := open(t, kouzui.Config{Dir: dir})
	next, leave := iter.Pull(client.Events(t.Context()))
	defer leave()
	torrent, err := client.AddMetainfo(m, kouzui.Options{Peers: []netip.AddrPort{addr}, Seed: true, Choice: chosen(t, "1")})
	if err != nil {
		t.Fatal(err)
	}
	complete := func() {
		t.Helper()
		for {
			e, more := next()
			if _, is := e.(kouzui.Completed); is {
				return
			}
			if !more {
				t.Fatal("not complete")
			}
		}
	}
	wantSame := func(only string) {
		t.Helper()
		for i, f := range m.Files {
			path := filepath.Join(m.Name, filepath.Join(f.Path...))
			want, err := os.ReadFile(filepath.Join(from, path))
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(dir, path))
			switch made := strings.ContainsRune(only, rune('0'+i)); {
			case !made && !errors.Is(err, fs.ErrNotExist):
				t.Errorf("%s is made: %v", path, err)
			case made && string(got) != string(want):
				t.Errorf("%s is not what it should be: %v", path, err)
			}
		}
	}
	complete()
	wantSame("1")
	if err := torrent.Choose(chosen(t, "0-1")); err != nil {
		t.Fatal(err)
	}
	complete()
	wantSame("01")
	files, err := torrent.Files(t.Context())
	if err != nil || files[0].Priority != kouzui.PriorityNormal || files[2].Priority != kouzui.PrioritySkip || files[2].Index != 2 {
		t.Errorf("files %+v, %v", files, err)
	}
	status, err := torrent.Status(t.Context())
	if have, goal := status.Goal(); err != nil || have != goal || goal >= m.Length {
		t.Errorf("%d of %d bytes of the chosen files, %v", have, goal, err)
	}
	var unfit *kouzui.ChoiceError
	if err := torrent.Choose(chosen(t, "7")); !errors.As(err, &unfit) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := torrent.Choose(nil); err != nil {
		t.Fatal(err)
	}
	complete()
	wantSame("012")
	if err := torrent.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := torrent.Choose(nil); !errors.Is(err, kouzui.ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// A choice that does not fit is refused, or ends the torrent when that is
// known.
func TestChoiceThatDoesNotFit(t *testing.T) {
	m, from := folderOf(t, 1000, 1000)
	client := open(t, kouzui.Config{Dir: from})
	var unfit *kouzui.ChoiceError
	if _, err := client.AddMetainfo(m, kouzui.Options{Choice: chosen(t, "*.mkv")}); !errors.As(err, &unfit) {
		t.Errorf("known: %v", err)
	}
	torrent, err := client.AddHash(m.InfoHash, kouzui.Options{Choice: chosen(t, "*.mkv")})
	if err != nil {
		t.Fatal(err)
	}
	if err := torrent.SetMetainfo(m); err != nil {
		t.Fatal(err)
	}
	if err := torrent.Wait(t.Context()); !errors.As(err, &unfit) {
		t.Errorf("found later: %v", err)
	}
}
