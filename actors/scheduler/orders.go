package scheduler

import (
	"slices"

	"kouzui/messages"
)

// orders collects what is to be sent at the end of the current message, so that
// each peer gets the result of several decisions at once.
type orders struct {
	peers []*peer // peers to which something is to be sent
	bans  []*messages.BanAddress
	lies  []lie    // of web seeds
	drops []uint32 // pieces that the store is to discard
}

// touch has tell called for p at the end of the current message. A dismissed
// peer is told nothing more.
func (o *orders) touch(p *peer) {
	if !p.touched && !p.gone && !p.dismissed {
		p.touched = true
		o.peers = append(o.peers, p)
	}
}

// dismiss ends a connection.
func (o *orders) dismiss(p *peer, reason messages.GoneReason) {
	o.touch(p)
	p.dismissed, p.dismissal = true, reason
}

// cancel takes back the request for a block. The request may not have been sent
// to p yet.
func (o *orders) cancel(p *peer, b messages.Block) {
	if i := slices.Index(p.ask, b); i >= 0 {
		p.ask = slices.Delete(p.ask, i, i+1)
		return
	}
	p.cancel = append(p.cancel, b)
	o.touch(p)
}

// speak sends what was collected: bans, pieces to be dropped, newly verified
// pieces, and what each peer is to do.
func (s *swarm) speak() {
	for i, ban := range s.orders.bans {
		s.out.Send(s.refs.Peers, ban)
		s.out.Send(s.refs.Torrent, &messages.PeerBanned{Addr: ban.Addr, Reason: ban.Reason})
		s.orders.bans[i] = nil
	}
	s.orders.bans = s.orders.bans[:0]
	for _, lie := range s.orders.lies {
		s.out.Send(lie.of.Peer, &messages.WebSeedLied{Reason: lie.reason})
	}
	s.orders.lies = s.orders.lies[:0]
	for _, piece := range s.orders.drops {
		s.out.Send(s.refs.Store, &messages.DropPiece{Piece: piece})
	}
	s.orders.drops = s.orders.drops[:0]
	if s.haves.urgent(s.complete()) {
		s.announceHaves()
	}
	s.tellUploadOnly()
	for i, p := range s.orders.peers {
		p.touched = false
		p.tell(&s.out, s.planner.avail)
		s.orders.peers[i] = nil
	}
	s.orders.peers = s.orders.peers[:0]
	if s.state() != s.reported.state {
		s.report()
	}
}

// tell sends p what has gathered for it.
func (p *peer) tell(out *messages.Outbox, availability *Availability) {
	switch {
	case p.gone:
		return
	case p.dismissed:
		out.Send(p.Peer, &messages.Disconnect{Reason: p.dismissal})
		return
	}
	if interested := p.wanted > 0; interested != p.interested {
		p.interested = interested
		out.Send(p.Peer, &messages.SetInterested{Interested: interested})
	}
	if len(p.cancel) > 0 {
		out.Send(p.Peer, &messages.CancelBlocks{Blocks: slices.Clone(p.cancel)})
		p.cancel = p.cancel[:0]
	}
	if len(p.ask) > 0 {
		only := slices.ContainsFunc(p.ask, func(b messages.Block) bool { return availability.Count(b.Piece) == 1 })
		out.Send(p.Peer, &messages.RequestBlocks{Blocks: slices.Clone(p.ask), OnlySource: only})
		p.ask = p.ask[:0]
	}
}
