package lab

import (
	"time"

	"kouzui/messages"
	"kouzui/wire/choice"
)

// playTick is how often a player that plays moves on, and one that waits looks
// whether it can.
const playTick = 50 * time.Millisecond

// player plays the content of a node at a bit rate while it is downloaded, as
// somebody does who watches a film: it stands still while what comes next is
// missing. Once it may jump to another place.
type player struct {
	node  *node
	rate  float64 // bytes a second
	jumps time.Duration
	since time.Duration // of its beginning, or of its jump
	began bool          // something was played since then
	at    float64       // bytes
	said  uint32        // the first piece that the client was told of
	told  time.Duration // when
	Play
	standing bool
}

// Play is how a player fared. Times are negative if they did not come.
type Play struct {
	First   time.Duration // from the arrival to the first byte
	Jump    time.Duration // from the jump to the next byte
	Stalled time.Duration // standing still after a beginning
	Stalls  int           // how often
	Ended   bool          // the end was reached
}

// play begins, if the class of the node says so.
func (n *node) play() {
	if n.class.Plays == 0 || n.player != nil {
		return
	}
	n.player = &player{
		node: n, rate: float64(n.class.Plays), jumps: time.Duration(n.class.Jump), since: n.run.sim.Elapsed(),
		said: ^uint32(0), Play: Play{First: -1, Jump: -1},
	}
	n.player.step()
}

// step plays for a tick, if that is there.
func (p *player) step() {
	n, t := p.node, p.node.run.content.torrent
	now := n.run.sim.Elapsed()
	if p.at >= float64(t.Length) {
		p.Ended = true
		p.tell(nil)
		return
	}
	switch piece := uint(int64(p.at) / t.PieceLength); {
	case n.pieces == nil || !n.pieces.Test(piece):
		if p.began {
			if p.Stalled += playTick; !p.standing {
				p.Stalls++
			}
			p.standing = true
		}
	case !p.began:
		p.began = true
		if p.First < 0 {
			p.First = now - p.since
		} else {
			p.Jump = now - p.since
		}
	default:
		p.standing = false
		p.at += p.rate * playTick.Seconds()
		if p.jumps > 0 && now-p.since > p.jumps && p.Jump < 0 {
			p.jump(now)
		}
	}
	p.tell(choice.Ahead(t, 0, int64(p.at)))
	n.run.sim.After(playTick, p.step)
}

// jump goes to the middle of what has not been played.
func (p *player) jump(now time.Duration) {
	p.at = (p.at + float64(p.node.run.content.torrent.Length)) / 2
	p.since, p.began, p.jumps = now, false, 0
}

// tellAgain is how often the client is told what is needed although that has
// not changed; at the beginning, in each tick, as the torrent may not be there.
const tellAgain = time.Second

// tell tells the client what is needed next.
func (p *player) tell(pieces []uint32) {
	first := ^uint32(0) - 1
	if len(pieces) > 0 {
		first = pieces[0]
	}
	now := p.node.run.sim.Elapsed()
	if first == p.said && p.began && now < p.told+tellAgain || p.node.down || p.node.gone {
		return
	}
	p.said, p.told = first, now
	p.node.client.Ask(&messages.SetUrgent{InfoHash: p.node.run.content.torrent.InfoHash, Pieces: pieces})
}
