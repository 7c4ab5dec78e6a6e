// Package described is payload that is described instead of held: the first
// bytes of a block say what all of it would be. They flow through links,
// buffers, actors and disks as payload does, whose length they have; but only
// they are ever touched. So a simulated swarm moves and hashes blocks at the
// price of a few words, and its disks keep a number a page.
//
// There is one content, known by its torrent. A block holds some of it, in one
// piece, or zeros, or anything else, which is known by a number. Blocks are
// looked at as a whole: a slice that begins within one describes nothing.
package described

import "encoding/binary"

// Own is how many bytes of a block are its description. What a slice has behind
// them belongs to others.
const Own = 24

// PageSize is the least part of a block that a disk keeps by itself, in bytes.
const PageSize = 4 << 10

// What a block or a page holds: the content from an offset on, which is one
// less; or, with the bit odd, other bytes, by a number of theirs.
type What uint64

const odd What = 1 << 63

// Zeros is what was never written, and reads as zeros.
const Zeros = odd

// Content is the content from an offset on.
func Content(off int64) What { return What(off) + 1 }

// Other is bytes that are nowhere in the content, different ones for each
// number.
func Other(number uint64) What { return odd | What(mix(0, number)) | 1 }

// Offset is where in the content it is; of what is not, false.
func (w What) Offset() (off int64, is bool) { return int64(w) - 1, w&odd == 0 }

// Put makes b, a block or the beginning of one, hold w.
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

// Get is what b holds. A description that was tampered with, or is one of
// another length, is that of other bytes.
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

// Page is what page i of a block holds that holds w.
func (w What) Page(i int) What {
	switch {
	case w == Zeros || i == 0:
		return w
	case w&odd == 0:
		return w + What(i)*PageSize
	}
	return Other(mix(uint64(w), uint64(i)))
}

// Whole is what a block holds whose pages hold these.
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
