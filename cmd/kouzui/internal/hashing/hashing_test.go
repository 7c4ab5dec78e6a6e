package hashing

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
)

// TestPieces: the hashes do not depend on how the content is cut into files.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "hashing")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		var whole []byte
		var files []File
		for i, size := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 99, 1000, chunk + 1}), 1, 5).Draw(t, "sizes") {
			raw := bytes.Repeat([]byte{byte(i + 1)}, size)
			name, begin := fmt.Sprint(i), rapid.IntRange(0, 9).Draw(t, "begin")
			if rapid.Bool().Draw(t, "padding") {
				name, raw = "", make([]byte, size)
			} else if err := os.WriteFile(filepath.Join(dir, name), slices.Concat(make([]byte, begin), raw, []byte("behind")), 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, File{Name: name, Length: int64(size), Begin: int64(begin)})
			whole = append(whole, raw...)
		}
		length := rapid.SampledFrom([]int{7, 512, 4096, chunk, 2 * chunk}).Draw(t, "piece length")
		if len(whole)/length > 2000 {
			t.Skip("too many pieces")
		}
		folder, err := real.OpenExisting(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		only, seen := bitset.New(uint(Count(int64(len(whole)), int64(length)))), 0
		for i := range only.Len() {
			only.SetTo(i, rapid.Bool().Draw(t, "wanted"))
		}
		want := int(only.Count())
		if rapid.Bool().Draw(t, "all") {
			only, want = nil, int(only.Len())
		}
		err = Pieces(context.Background(), Content{folder, files, only}, int64(length), func(p Piece) error {
			seen++
			if only != nil && !only.Test(uint(p.Index)) {
				t.Errorf("piece %d is hashed", p.Index)
			}
			from := p.Index * length
			if want := sha1.Sum(whole[from:min(from+length, len(whole))]); p.Err != nil || p.Sum != want {
				t.Errorf("piece %d: %v, %v", p.Index, p.Sum, p.Err)
			}
			return nil
		})
		if err != nil || seen != want {
			t.Errorf("%d pieces of %d, %v", seen, want, err)
		}
	})
}

func TestPiecesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "short"), make([]byte, 15), 0o644); err != nil {
		t.Fatal(err)
	}
	folder, err := real.OpenExisting(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	files := []File{{Length: 10}, {Name: "short", Length: 20}, {Name: "missing", Length: 10}}
	got := make([]error, 4)
	err = Pieces(context.Background(), Content{Folder: folder, Files: files}, 10, func(p Piece) error {
		got[p.Index] = p.Err
		if p.Err != nil && p.File == 0 {
			t.Errorf("piece %d blames padding", p.Index)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, io.ErrUnexpectedEOF, fs.ErrNotExist} {
		if !errors.Is(got[i], want) {
			t.Errorf("piece %d: %v, want %v", i, got[i], want)
		}
	}
}

func TestPiecesEnd(t *testing.T) {
	zeros := Content{Files: []File{{Length: 1 << 20}}}
	enough := errors.New("enough")
	if err := Pieces(context.Background(), zeros, 1, func(Piece) error { return enough }); err != enough {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Pieces(ctx, zeros, 1, func(Piece) error { return nil }); !errors.Is(err, exit.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
}
