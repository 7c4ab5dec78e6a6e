package lab

import (
	"slices"

	"kouzui/messages"
)

// release takes back a request of one peer.
func (a *account) release(peer messages.PeerKey, b messages.Block) bool {
	k := a.blocks[b]
	if k == nil {
		return false
	}
	i := slices.Index(k.of, peer)
	if i < 0 {
		return false
	}
	if k.of = slices.Delete(k.of, i, i+1); len(k.of) > 0 {
		a.twice--
	} else {
		a.unask(b.Piece)
	}
	return true
}

// unask counts one block less as asked for. A piece of which nothing is asked
// for or held is forgotten.
func (a *account) unask(piece uint32) {
	p := a.portion(piece)
	if p.asked--; p.asked == 0 && p.here == 0 {
		delete(a.pieces, piece)
	}
}

func (a *account) arrived(peer messages.PeerKey, b messages.Block) {
	if a.late(peer, b) {
		return
	}
	k := a.blocks[b]
	if k == nil || !slices.Contains(k.of, peer) {
		return // the request was taken back meanwhile
	}
	k.here = true
	p := a.portion(b.Piece)
	p.here++
	a.release(peer, b)
}

// judged notes that a piece has been verified, found corrupt or dropped:
// requests for it that are under way do not count any more.
func (a *account) judged(piece uint32) {
	for b, k := range a.blocks {
		if b.Piece != piece {
			continue
		}
		for _, peer := range k.of {
			a.stale[owed{peer, b}]++
		}
		a.twice -= max(0, len(k.of)-1)
		delete(a.blocks, b)
	}
	delete(a.pieces, piece)
}

// late tells whether a message of a peer is about a request from before the
// piece was judged.
func (a *account) late(peer messages.PeerKey, b messages.Block) bool {
	o := owed{peer, b}
	if a.stale[o] == 0 {
		return false
	}
	if a.stale[o]--; a.stale[o] == 0 {
		delete(a.stale, o)
	}
	return true
}

// void takes back all requests to a peer.
func (a *account) void(peer messages.PeerKey) {
	for b := range a.blocks {
		a.release(peer, b)
	}
	for o := range a.stale {
		if o.peer == peer {
			delete(a.stale, o)
		}
	}
}

func (a *account) leave(peer messages.PeerKey) {
	a.void(peer)
	delete(a.peers, peer)
}
