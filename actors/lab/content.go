package lab

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/world"
	"kouzui/actors/world/fake"
	"kouzui/actors/world/fake/described"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

const (
	dir  = "/downloads"
	name = "content"
)

// content is a torrent of one file, and its bytes, unless they are described.
type content struct {
	torrent *metainfo.Torrent
	data    []byte // nil: described
	pool    *buffer.Pool
	room    [][]byte // memory for the blocks of a piece, used again
}

// newContent makes a torrent of random bytes, with a tracker. If keep is false,
// its payload is described (see package described), and the bytes are thrown
// away.
func newContent(length, piece int64, keep, private bool, tracker string, rnd *rand.Rand) (*content, error) {
	c := &content{pool: new(described.Memory).Pool(0)}
	if keep {
		c.data, c.pool = make([]byte, 0, length), buffer.NewPool(0)
	}
	var key [32]byte
	for i := range key {
		key[i] = byte(rnd.Uint32())
	}
	source, data := rand.NewChaCha8(key), make([]byte, piece)
	var sums []byte
	for at := int64(0); at < length; at += piece {
		data = data[:min(piece, length-at)]
		_, _ = source.Read(data) // never fails
		sum := sha1.Sum(data)
		sums = append(sums, sum[:]...)
		if keep {
			c.data = append(c.data, data...)
		}
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: name, Single: true, Private: private, PieceLength: piece, Pieces: sums, Announce: [][]string{{tracker}},
		Files: []metainfo.FileSpec{{Path: []string{name}, Length: length}},
	})
	if err != nil {
		return nil, err
	}
	c.torrent, err = metainfo.Parse(raw)
	return c, err
}

// blocks returns memory for the blocks of a piece, and the offset of the piece.
func (c *content) blocks(piece int) (blocks [][]byte, off int64) {
	for left := c.torrent.PieceSize(piece); left > 0; left -= buffer.Size {
		i := len(blocks)
		if i == len(c.room) {
			c.room = append(c.room, c.pool.Get().Bytes())
		}
		blocks = append(blocks, c.room[i][:min(left, buffer.Size)])
	}
	return blocks, int64(piece) * c.torrent.PieceLength
}

// fill writes the content from an offset on into a block.
func (c *content) fill(block []byte, off int64) {
	if c.data == nil {
		described.Put(block, described.Content(off))
		return
	}
	copy(block, c.data[off:])
}

// is tells whether a block contains the content from an offset on.
func (c *content) is(block []byte, off int64) bool {
	if c.data == nil {
		return described.Get(block) == described.Content(off)
	}
	return bytes.Equal(block, c.data[off:off+int64(len(block))])
}

// lay writes pieces to a disk; if they are all pieces, under the final name.
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
	failed := f.Extend(c.torrent.Length)
	for i := range c.torrent.PieceCount() {
		if !pieces.Test(uint(i)) {
			continue
		}
		blocks, off := c.blocks(i)
		for k, b := range blocks {
			c.fill(b, off+int64(k)*buffer.Size)
		}
		f.WriteBlocks(blocks, off, func(err error) {
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

// open opens the file of a node, under whichever of its two names it has.
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

// wrong is an error if the pieces from first up to end on a disk differ from
// the content.
func (c *content) wrong(f world.File, first, end int) error {
	for i := first; i < end; i++ {
		blocks, off := c.blocks(i)
		short, unread := false, false
		f.ReadBlocks(blocks, off, func(err error) { short, unread = errors.Is(err, io.ErrUnexpectedEOF), err != nil })
		if short {
			return fmt.Errorf("piece %d is incomplete", i)
		}
		if unread { // the disk was made to fail; nothing was served
			return nil
		}
		for k, b := range blocks {
			if !c.is(b, off+int64(k)*buffer.Size) {
				return fmt.Errorf("piece %d differs from the original", i)
			}
		}
	}
	return nil
}
