package processes

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/bits-and-blooms/bitset"

	"kouzui/wire/metainfo"
)

// contentName is the torrent's name, and that of its one file.
const contentName = "content"

// content is the torrent of a swarm, and its complete data.
type content struct {
	torrent *metainfo.Torrent
	file    string // path of the .torrent
	data    string // path of the data
}

// newContent fills a file with noise that depends on the seed alone, and makes
// a torrent of it.
func newContent(folder string, length, piece int64, seed uint64, tracker string) (*content, error) {
	c := &content{file: filepath.Join(folder, contentName+".torrent"), data: filepath.Join(folder, contentName)}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	noise := rand.NewChaCha8(key)
	file, err := os.Create(c.data)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var sums []byte
	bytes := make([]byte, piece)
	for at := int64(0); at < length; at += piece {
		bytes = bytes[:min(piece, length-at)]
		_, _ = noise.Read(bytes) // never fails
		sum := sha1.Sum(bytes)
		sums = append(sums, sum[:]...)
		if _, err := file.Write(bytes); err != nil {
			return nil, err
		}
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: contentName, Single: true, PieceLength: piece, Pieces: sums, Announce: [][]string{{tracker}},
		Files: []metainfo.FileSpec{{Path: []string{contentName}, Length: length}},
	})
	if err != nil {
		return nil, err
	}
	if c.torrent, err = metainfo.Parse(raw); err != nil {
		return nil, err
	}
	return c, errors.Join(file.Close(), os.WriteFile(c.file, raw, 0o600))
}

// lay puts pieces into the folder of a node: all of them as a second name of
// the data, which a seed does not write; others as a file with holes.
func (c *content) lay(folder string, pieces *bitset.BitSet) error {
	path := filepath.Join(folder, contentName)
	switch {
	case pieces.None():
		return nil
	case pieces.All():
		return os.Link(c.data, path)
	}
	from, err := os.Open(c.data)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := to.Truncate(c.torrent.Length); err != nil {
		return err
	}
	for piece := range pieces.EachSet() {
		at, size := int64(piece)*c.torrent.PieceLength, int64(c.torrent.PieceSize(int(piece)))
		if _, err := io.Copy(io.NewOffsetWriter(to, at), io.NewSectionReader(from, at, size)); err != nil {
			return err
		}
	}
	return to.Close()
}

// check compares what a node has downloaded with the data.
func (c *content) check(folder string) error {
	want, err := os.Open(c.data)
	if err != nil {
		return err
	}
	defer want.Close()
	have, err := os.Open(filepath.Join(folder, contentName))
	if err != nil {
		return err
	}
	defer have.Close()
	const part = 1 << 20
	a, b := bufio.NewReaderSize(want, part), bufio.NewReaderSize(have, part)
	for at := int64(0); ; {
		x, failedX := a.Peek(part)
		y, failedY := b.Peek(part)
		if !bytes.Equal(x, y) {
			return fmt.Errorf("its data differs from the original from about byte %d on", at)
		}
		if failedX != nil && !errors.Is(failedX, io.EOF) || failedY != nil && !errors.Is(failedY, io.EOF) {
			return errors.Join(failedX, failedY)
		}
		if len(x) == 0 {
			return nil
		}
		at += int64(len(x))
		_, _ = a.Discard(len(x)) // they were peeked at
		_, _ = b.Discard(len(y))
	}
}
