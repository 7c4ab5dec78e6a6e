// Package noise makes torrents whose content is pseudo-random: for tests,
// measurements, and swarms of real processes.
package noise

import (
	"bufio"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"kouzui/wire/metainfo"
)

// Content is a torrent, and the folder with its data.
type Content struct {
	Torrent string // path of the .torrent
	Info    *metainfo.Torrent
	Dir     string

	files []string            // relative to Dir
	sums  [][sha256.Size]byte // of each
}

// New fills files with noise and makes a torrent of them: the data is in
// dir/content, the torrent in dir. A single file without a path makes a torrent
// of one file. The data depends on all arguments but dir and announce.
func New(dir, name string, pieceLength int64, files []metainfo.FileSpec, announce ...string) (*Content, error) {
	spec := metainfo.Spec{Name: name, PieceLength: pieceLength, Files: files, Single: len(files) == 1 && files[0].Path == nil}
	for _, url := range announce {
		spec.Announce = append(spec.Announce, []string{url})
	}
	c := &Content{Torrent: filepath.Join(dir, name+".torrent"), Dir: filepath.Join(dir, "content")}
	noise := rand.NewChaCha8(sha256.Sum256([]byte(name)))
	pieces := pieceHasher{length: pieceLength, sha1: sha1.New()}
	for _, f := range files {
		if f.Padding {
			_, _ = pieces.Write(make([]byte, f.Length)) // never fails
			continue
		}
		path := filepath.Join(append([]string{name}, f.Path...)...)
		sum, err := writeNoise(filepath.Join(c.Dir, path), io.LimitReader(noise, f.Length), &pieces)
		if err != nil {
			return nil, err
		}
		c.files, c.sums = append(c.files, path), append(c.sums, sum)
	}
	spec.Pieces = pieces.finish()
	raw, err := metainfo.Encode(spec)
	if err != nil {
		return nil, err
	}
	if c.Info, err = metainfo.Parse(raw); err != nil {
		return nil, err
	}
	return c, os.WriteFile(c.Torrent, raw, 0o600)
}

// Verify compares the data in dir with the content. With leftOut, empty files
// may be missing.
func (c *Content) Verify(dir string, leftOut bool) error {
	for i, path := range c.files {
		f, err := os.Open(filepath.Join(dir, path))
		if leftOut && c.sums[i] == sha256.Sum256(nil) && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		h := sha256.New()
		n, err := io.Copy(h, f)
		f.Close()
		if err != nil {
			return err
		}
		if [sha256.Size]byte(h.Sum(nil)) != c.sums[i] {
			return fmt.Errorf("%s: its %d bytes differ from the content", path, n)
		}
	}
	return nil
}

// Link makes hard links to the content in dir. Files that a client keeps beside
// the data are then written to dir.
func (c *Content) Link(dir string) error {
	for _, path := range c.files {
		at := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return err
		}
		if err := os.Link(filepath.Join(c.Dir, path), at); err != nil {
			return err
		}
	}
	return nil
}

func writeNoise(path string, noise io.Reader, pieces io.Writer) (sum [sha256.Size]byte, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return sum, err
	}
	f, err := os.Create(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(f, pieces, h), 1<<20)
	if _, err := io.Copy(w, noise); err != nil {
		return sum, err
	}
	if err := w.Flush(); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), f.Close()
}

// pieceHasher hashes the pieces of the content that is written to it.
type pieceHasher struct {
	length int64
	sha1   hash.Hash
	begun  int64 // bytes of the current piece
	sums   []byte
}

func (p *pieceHasher) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(int64(len(rest)), p.length-p.begun)
		p.sha1.Write(rest[:n])
		rest, p.begun = rest[n:], p.begun+n
		if p.begun == p.length {
			p.endPiece()
		}
	}
	return len(b), nil
}

func (p *pieceHasher) endPiece() {
	p.sums = p.sha1.Sum(p.sums)
	p.sha1.Reset()
	p.begun = 0
}

func (p *pieceHasher) finish() []byte {
	if p.begun > 0 {
		p.endPiece()
	}
	return p.sums
}
