package lab

import (
	"crypto/sha1"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/wire/metainfo"
)

const (
	trackerURL = "http://tracker.sim/announce"
	dir        = "/downloads"
	name       = "content"
)

// content is a torrent of one file, and its bytes.
type content struct {
	torrent *metainfo.Torrent
	data    []byte
}

func newContent(length, piece int, rnd *rand.Rand) (*content, error) {
	data := make([]byte, length)
	var key [32]byte
	for i := range key {
		key[i] = byte(rnd.Uint32())
	}
	_, _ = rand.NewChaCha8(key).Read(data) // never fails
	var sums []byte
	for at := 0; at < length; at += piece {
		sum := sha1.Sum(data[at:min(at+piece, length)])
		sums = append(sums, sum[:]...)
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: name, Single: true, PieceLength: int64(piece), Pieces: sums, Announce: [][]string{{trackerURL}},
		Files: []metainfo.FileSpec{{Path: []string{name}, Length: int64(length)}},
	})
	if err != nil {
		return nil, err
	}
	torrent, err := metainfo.Parse(raw)
	return &content{torrent, data}, err
}

func (c *content) piece(i int) (data []byte, off int64) {
	off = int64(i) * c.torrent.PieceLength
	return c.data[off : off+c.torrent.PieceSize(i)], off
}

// lay puts pieces onto a disk; if it is all of them, under the final name.
func (c *content) lay(disk *fake.Disk, pieces *bitset.BitSet) error {
	if pieces.None() {
		return nil
	}
	file := name
	if !pieces.All() {
		file += ".part"
	}
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		return err
	}
	f, err := folder.Create(file)
	if err != nil {
		return err
	}
	failed := f.Extend(int64(len(c.data)))
	for i := range c.torrent.PieceCount() {
		if !pieces.Test(uint(i)) {
			continue
		}
		data, off := c.piece(i)
		f.WriteBlocks([][]byte{data}, off, func(err error) {
			if failed == nil {
				failed = err
			}
		})
	}
	f.Sync(func(error) {})
	if err := folder.Sync("."); failed == nil {
		failed = err
	}
	return failed
}

// open opens what a node has, under either name.
func open(disk *fake.Disk) (world.File, error) {
	folder, err := disk.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	f, err := folder.Open(name, false)
	if err != nil {
		f, err = folder.Open(name+".part", false)
	}
	return f, err
}

// wrong says how what is on a disk differs from the content, in the pieces from
// first up to end.
func (c *content) wrong(f world.File, first, end int) error {
	for i := first; i < end; i++ {
		want, off := c.piece(i)
		got := make([]byte, len(want))
		var failed error
		f.ReadBlocks([][]byte{got}, off, func(err error) { failed = err })
		if failed != nil && failed != io.ErrUnexpectedEOF {
			return nil // the disk was made to fail; nothing was served
		}
		if string(got) != string(want) {
			return fmt.Errorf("piece %d is not the original's", i)
		}
	}
	return nil
}
