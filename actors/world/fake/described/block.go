// Package described is for simulated swarms, whose payload is described and not
// held in memory. The first bytes of each block are a description of what the
// whole block contains. Blocks travel through links, buffers, actors and disks
// as usual, with their full length, but only these first bytes are ever read or
// written. So moving and hashing a block costs a few words, and a simulated
// disk keeps one number for each page.
//
// A block contains one of three things: a run of bytes of the torrent's
// content, told by the offset at which the run begins; zeros; or other bytes,
// told by a number. A block is always described as a whole: a slice that begins
// in the middle of a block has no description.
package described

import "encoding/binary"

// Own is how many bytes of a block hold its description. The memory behind them
// is shared with other blocks, see Memory.
const Own = 24

// PageSize is the smallest part of a block that a disk stores separately, in
// bytes.
const PageSize = 4 << 10

// What tells the content of a block or a page: the offset plus one of a run of
// the torrent's content; or, with the bit odd set, the number of other bytes.
type What uint64

const odd What = 1 << 63

// Zeros is the content of what was never written.
const Zeros = odd

// Content is a run of the torrent's content from an offset on.
func Content(off int64) What { return What(off) + 1 }

// Other is bytes that occur nowhere in the torrent's content, and are different
// for each number.
func Other(number uint64) What { return odd | What(mix(0, number)) | 1 }

// Offset is where a run of the torrent's content begins; false if w is none.
func (w What) Offset() (off int64, is bool) { return int64(w) - 1, w&odd == 0 }

// Put writes the description w into b, which is a block or the beginning of
// one.
func Put(b []byte, w What) {
	own := b[:Own:Own]
	if w == Zeros {
		clear(own)
		return
	}
	binary.LittleEndian.PutUint64(own, uint64(w))
	binary.LittleEndian.PutUint64(own[8:], uint64(len(b)))
	binary.LittleEndian.PutUint64(own[16:], mix(uint64(w), uint64(len(b))))
}

// Get reads the description of b. If b was tampered with, or has another length
// than when it was described, it contains other bytes.
func Get(b []byte) What {
	own := b[:Own:Own]
	w, length, check := binary.LittleEndian.Uint64(own), binary.LittleEndian.Uint64(own[8:]), binary.LittleEndian.Uint64(own[16:])
	switch {
	case length == uint64(len(b)) && check == mix(w, length):
		return What(w)
	case w|length|check == 0:
		return Zeros
	}
	return Other(mix(mix(w, length), check))
}

// Page is the content of page i of a block whose content is w.
func (w What) Page(i int) What {
	switch {
	case w == Zeros || i == 0:
		return w
	case w&odd == 0:
		return w + What(i)*PageSize
	}
	return Other(mix(uint64(w), uint64(i)))
}

// Whole is the content of a block whose pages have these contents.
func Whole(pages []What) What {
	w, same, sum := pages[0], true, uint64(0)
	for i, p := range pages {
		same = same && p == w.Page(i)
		sum = mix(sum, uint64(p))
	}
	if same {
		return w
	}
	return Other(sum)
}

func mix(sum, n uint64) uint64 {
	sum = (sum ^ n + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9
	return sum ^ sum>>29
}
