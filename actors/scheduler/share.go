package scheduler

import "encoding/binary"

// share divides pieces that are equally rare among the downloaders that lack
// them. Left to chance, several downloaders begin the same piece of a seed,
// each unseen by the others, and the seed sends it as often.
//
// Each piece is for the downloader whose peer id and the piece together have
// the highest hash (rendezvous hashing), then for the one with the next, and so
// on: all who know each other come to the same order without a word.
type share struct {
	self uint64
	*roster
}

// maxRivals bounds among how many peers pieces are divided. In a larger swarm
// each downloader knows others, and the division would not be the same for all.
const maxRivals = 100

// before is how many other downloaders come before us with a piece. Of a nil
// share there are none.
func (s *share) before(piece uint32) (n int) {
	if s == nil || len(s.peers) > maxRivals {
		return 0
	}
	ours := weight(s.self, piece)
	for _, p := range s.peers {
		if !p.cameSeed && weight(p.hash, piece) > ours && !p.has(piece) {
			n++
		}
	}
	return n
}

// hashOf is what a peer id adds to the weight of a piece. Of ids made by the
// same client the last bytes differ.
func hashOf(id [20]byte) uint64 {
	return binary.BigEndian.Uint64(id[12:]) ^ mixed(binary.BigEndian.Uint64(id[4:]))
}

func weight(hash uint64, piece uint32) uint64 { return mixed(hash + uint64(piece)*0x9E3779B97F4A7C15) }

// mixed is the finalizer of SplitMix64: each bit of x changes about half of the
// bits.
func mixed(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
