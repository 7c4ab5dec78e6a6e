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
	"testing"

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
			name := fmt.Sprint(i)
			if rapid.Bool().Draw(t, "padding") {
				name, raw = "", make([]byte, size)
			} else if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
				t.Fatal(err)
			}
			files = append(files, File{name, int64(size)})
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
		seen := 0
		err = Pieces(context.Background(), Content{folder, files}, int64(length), func(p Piece) error {
			seen++
			from := p.Index * length
			if want := sha1.Sum(whole[from:min(from+length, len(whole))]); p.Err != nil || p.Sum != want {
				t.Errorf("piece %d: %v, %v", p.Index, p.Sum, p.Err)
			}
			return nil
		})
		if err != nil || seen != Count(int64(len(whole)), int64(length)) {
			t.Errorf("%d pieces, %v", seen, err)
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
	files := []File{{"", 10}, {"short", 20}, {"missing", 10}}
	got := make([]error, 4)
	err = Pieces(context.Background(), Content{folder, files}, 10, func(p Piece) error {
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
	zeros := Content{Files: []File{{"", 1 << 20}}}
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
