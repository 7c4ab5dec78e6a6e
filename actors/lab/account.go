package lab

import (
	"slices"
	"strconv"
	"strings"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// account is what can be known about each block by watching the messages of the
// scheduler: which peers are asked for the block, and whether it has come. It
// does not read the scheduler's own state. It checks that
//
//   - a block that has come is not asked for again, unless its piece failed its
//     hash or was dropped;
//   - no peer is asked for what it owes already;
//   - another peer is asked as well only if nothing that it has is left to ask
//     for, or there is no memory for it;
//   - what is asked for and held fits into the memory, but for one piece that
//     must get on, what has come of one before it that stands still, and the
//     duplicates of the endgame.
//
// It begins anew with each life of the scheduler.
type account struct {
	torrent   *metainfo.Torrent
	scheduler string // its path
	blame     func(format string, args ...any)

	limit  int // blocks
	peers  map[messages.PeerKey]*debtor
	blocks map[messages.Block]*asking
	pieces map[uint32]*portion
	have   *bitset.BitSet
	// corrupt is set when a piece was found corrupt: from then on such pieces are
	// asked of one peer alone.
	corrupt bool
	twice   int          // requests for blocks that another peer is asked for too
	turn    []turn       // what the scheduler has asked for while it handled its last message
	stale   map[owed]int // requests for pieces that have been verified or found corrupt since
}

type debtor struct {
	link uint64
	have *bitset.BitSet
}

// asking is how far a block has come.
type asking struct {
	of   []messages.PeerKey
	here bool
}

// portion is how much memory a piece takes, in blocks.
type portion struct{ asked, here, spilled int }

func (p *portion) held() int { return p.asked + max(0, p.here-p.spilled) }

type turn struct {
	peer   messages.PeerKey
	blocks []messages.Block
}

type owed struct {
	peer  messages.PeerKey
	block messages.Block
}

// leastDuplicates is how many duplicate requests are allowed at least, in
// blocks, however small the memory is; with more memory it is a quarter of
// that.
const leastDuplicates = 64

func newAccount(t *metainfo.Torrent, scheduler string, limit int, blame func(string, ...any)) *account {
	a := &account{torrent: t, scheduler: scheduler, limit: limit, blame: blame}
	a.begin()
	return a
}

func (a *account) begin() {
	a.peers, a.blocks, a.pieces = map[messages.PeerKey]*debtor{}, map[messages.Block]*asking{}, map[uint32]*portion{}
	a.have, a.corrupt = bitset.New(uint(a.torrent.PieceCount())), false
	a.twice, a.turn, a.stale = 0, nil, map[owed]int{}
}

// sent takes in a message of the scheduler to a peer.
func (a *account) sent(to string, message any) {
	switch m := message.(type) {
	case *messages.RequestBlocks:
		if key, is := keyOf(to); is {
			a.turn = append(a.turn, turn{key, m.Blocks})
		}
	case *messages.CancelBlocks:
		if key, is := keyOf(to); is {
			for _, b := range m.Blocks {
				a.takenBack(key, b)
			}
		}
	}
}

// takenBack notes that a peer need not bring a block any more, or will not.
func (a *account) takenBack(peer messages.PeerKey, b messages.Block) {
	if !a.late(peer, b) {
		a.release(peer, b)
	}
}

// keyOf reads the key of a peer from its path.
func keyOf(path string) (messages.PeerKey, bool) {
	i := strings.LastIndex(path, "/peer-")
	if i < 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(path[i+len("/peer-"):], 10, 32)
	return messages.PeerKey(n), err == nil
}

// handled takes in a message that an actor is about to handle. What the
// scheduler has sent so far belongs to an earlier message, so it is judged
// first.
func (a *account) handled(by string, message any) {
	a.judge()
	if by != a.scheduler {
		return
	}
	switch m := message.(type) {
	case *actor.Started:
		a.begin()
	case *messages.StoreReady:
		a.have = m.Have.Clone()
	case *messages.PeerReady:
		a.void(m.Key)
		a.peers[m.Key] = &debtor{link: m.Link, have: bitset.New(a.have.Len())}
	case *messages.PeerGone:
		if p := a.peers[m.Key]; p != nil && p.link == m.Link {
			a.leave(m.Key)
		}
	case interface{ Deceased() *actor.PID }: // a Terminated, behind all that was sent before
		if key, is := keyOf(m.Deceased().Id); is {
			a.leave(key)
		}
	case *messages.PeerBitfield:
		if p := a.peers[m.Key]; p != nil {
			p.have.InPlaceUnion(m.Have)
		}
	case *messages.PeerHave:
		if p := a.peers[m.Key]; p != nil {
			for _, piece := range m.Pieces {
				p.have.Set(uint(piece))
			}
		}
	case *messages.PeerChoking:
		if m.Choking && !m.Answers {
			a.void(m.Key)
		}
	case *messages.BlocksArrived:
		for _, b := range m.Blocks {
			a.arrived(m.Key, b)
		}
	case *messages.RequestsDropped:
		for _, b := range m.Blocks {
			a.takenBack(m.Key, b)
		}
	case *messages.BlocksSpilled:
		if p := a.pieces[m.Piece]; p != nil {
			p.spilled += m.Blocks
		}
	case *messages.PieceVerified:
		a.judged(m.Piece)
		a.have.Set(uint(m.Piece))
	case *messages.PieceCorrupt:
		a.corrupt = true
		a.judged(m.Piece)
	case *messages.PieceDropped:
		a.judged(m.Piece)
	}
}

func (a *account) at(b messages.Block) *asking {
	k := a.blocks[b]
	if k == nil {
		k = &asking{}
		a.blocks[b] = k
	}
	return k
}

func (a *account) portion(piece uint32) *portion {
	p := a.pieces[piece]
	if p == nil {
		p = &portion{}
		a.pieces[piece] = p
	}
	return p
}

// judge checks what the scheduler asked for while it handled one message.
func (a *account) judge() {
	if len(a.turn) == 0 {
		return
	}
	turns := a.turn
	a.turn = nil
	var twice []owed
	for _, t := range turns {
		for _, b := range t.blocks {
			if a.ask(t.peer, b) {
				twice = append(twice, owed{t.peer, b})
			}
		}
	}
	held := a.held()
	if held > a.limit+a.exempt() {
		a.blame("%d blocks are asked for or held, the memory is for %d", held, a.limit)
	}
	if most := a.duplicates(); a.twice > most {
		a.blame("%d blocks are asked for that others owe, at most %d should be", a.twice, most)
	}
	for _, o := range twice {
		a.endgame(o, held)
	}
}

// ask notes a request, and returns true if other peers are asked for the block
// too.
func (a *account) ask(peer messages.PeerKey, b messages.Block) (twice bool) {
	k := a.at(b)
	switch {
	case a.have.Test(uint(b.Piece)):
		a.blame("peer %d is asked for %v, whose piece is verified", peer, b)
	case k.here:
		a.blame("peer %d is asked for %v, which has come", peer, b)
	case slices.Contains(k.of, peer):
		a.blame("peer %d is asked for %v, which it owes", peer, b)
	}
	if len(k.of) == 0 {
		a.portion(b.Piece).asked++
	}
	if k.of = append(k.of, peer); len(k.of) == 1 {
		return false
	}
	a.twice++
	return true
}

// endgame checks that nothing else could be asked of the peer than what others
// are asked for.
func (a *account) endgame(o owed, held int) {
	p := a.peers[o.peer]
	if p == nil || a.corrupt || held >= a.limit {
		return
	}
	for piece := range p.have.EachSet() {
		if a.have.Test(piece) {
			continue
		}
		if n := a.torrent.PieceSize(int(piece)); a.free(uint32(piece), uint32(n)) {
			a.blame("peer %d is asked for %v, as others are, while nobody is asked for a part of piece %d", o.peer, o.block, piece)
			return
		}
	}
}

// free tells whether a piece has a block that has not come and that no peer is
// asked for.
func (a *account) free(piece, length uint32) bool {
	for begin := uint32(0); begin < length; begin += buffer.Size {
		k := a.blocks[messages.Block{Piece: piece, Begin: begin, Length: min(buffer.Size, length-begin)}]
		if k == nil || !k.here && len(k.of) == 0 {
			return true
		}
	}
	return false
}

// held is how many blocks of memory are in use.
func (a *account) held() (n int) {
	for _, p := range a.pieces {
		n += p.held()
	}
	return n
}

// duplicates is how many requests may be for blocks that other peers are asked
// for too.
func (a *account) duplicates() int { return max(leastDuplicates, a.limit/4) }

// exempt is how many blocks may be in memory beyond the limit.
func (a *account) exempt() int {
	return 2 * int((a.torrent.PieceLength+buffer.Size-1)/buffer.Size)
}

// owing is how many requests are pending.
func (a *account) owing() (n int) {
	for _, k := range a.blocks {
		n += len(k.of)
	}
	for _, times := range a.stale {
		n += times
	}
	return n
}
