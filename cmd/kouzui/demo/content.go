package demo

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"kouzui/actors/runtime/units"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/wire/metainfo"
)

// make writes the file, a copy for each seed, and the torrent.
func (d *demo) make(size int64, announce string) error {
	var copies []io.Writer
	for i := range seeds {
		f, err := os.Create(filepath.Join(d.folder("seed", i), fileName))
		if err != nil {
			return exit.With(exit.Create, err)
		}
		defer f.Close()
		copies = append(copies, f)
	}
	whole := sha256.New()
	source := io.LimitReader(rand.NewChaCha8([32]byte{'k', 'o', 'u', 'z', 'u', 'i'}), size)
	if _, err := io.Copy(io.MultiWriter(append(copies, whole)...), source); err != nil {
		return err
	}
	whole.Sum(d.sum[:0])

	folder, err := real.OpenExisting(d.folder("seed", 0))
	if err != nil {
		return err
	}
	defer folder.Close()
	content := hashing.Content{Folder: folder, Files: []hashing.File{{Name: fileName, Length: size}}}
	shown := progress.NewHashing(d.Output, fileName, hashing.Count(size, pieceLength))
	sums, err := hashing.Sums(d.Context, content, pieceLength, shown.Done)
	shown.Close()
	if err != nil {
		return err
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: fileName, Files: []metainfo.FileSpec{{Length: size}}, Single: true, PieceLength: pieceLength, Pieces: sums,
		Announce: [][]string{{announce}},
	})
	if err != nil {
		return err
	}
	d.torrent, err = metainfo.Parse(raw)
	d.Say("The file has %s of pseudo-random bytes in %d pieces, SHA-256 %x...", units.Bytes(size), d.torrent.PieceCount(), d.sum[:8])
	return err
}

// folder makes the folder of one client, unless it exists, and returns its
// path.
func (d *demo) folder(role string, i int) string {
	dir := filepath.Join(d.dir, fmt.Sprintf("%s%d", role, i+1))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.Log.Error().Err(err).Send() // what uses the folder fails
	}
	return dir
}

// compare checks the copies.
func (d *demo) compare() error {
	for _, c := range d.all[seeds:] {
		f, err := os.Open(filepath.Join(c.dir, fileName))
		if err != nil {
			return err
		}
		whole := sha256.New()
		_, err = io.Copy(whole, f)
		f.Close()
		if err != nil {
			return err
		}
		if got := [sha256.Size]byte(whole.Sum(nil)); got != d.sum {
			return exit.Errorf(exit.Mismatch, "the copy of %s differs from the original: SHA-256 %x", c.name, got)
		}
		d.Result("%s: the same as the original, SHA-256 %x...", c.name, d.sum[:8])
	}
	return nil
}
