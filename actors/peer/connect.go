package peer

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

// How a connection comes into being, and how it ends.

func (p *peer) start(c actor.Context) {
	if p.Inbound {
		p.timer = supervise.SendAfter(c, p.World.Clock, adoptTimeout, &adoptLapse{})
		return
	}
	deliver := supervise.Deliver(c)
	p.cancel = p.World.Network.Dial(p.Addr, dialTimeout, func(l messages.Link, err error) {
		deliver(&dialled{l, err})
	})
}

// dialled takes the link, or the reason why there is none.
func (p *peer) dialled(c actor.Context, m *dialled) {
	switch {
	case errors.Is(m.err, world.ErrCrowded):
		p.end(c, messages.GoneCrowded, m.err)
	case m.err != nil:
		p.end(c, messages.GoneDial, m.err)
	default:
		p.take(m.link)
		link, deliver := m.link.ID(), supervise.Deliver(c)
		m.link.ReadHandshake(handshakeTimeout, func(h frame.Handshake, err error) {
			deliver(&shaken{link, h, err})
		})
	}
}

func (p *peer) adopt(c actor.Context, m *messages.AdoptLink) {
	if p.link != nil {
		m.Link.Close(errSuperseded)
		return
	}
	p.timer.Stop()
	p.take(m.Link)
	p.ready(c, m.Handshake)
}

// take makes the link ours and greets the other side.
func (p *peer) take(l messages.Link) {
	p.link, p.cancel = l, nil
	h := frame.Handshake{InfoHash: p.InfoHash, PeerID: p.Self}
	h.Offer(frame.FeatureExtensions)
	l.SendHandshake(h)
}

func (p *peer) shaken(c actor.Context, m *shaken) {
	switch {
	case !p.holds(m.link):
	case m.err != nil:
		p.end(c, messages.GoneHandshake, m.err)
	case m.shake.InfoHash != p.InfoHash:
		p.end(c, messages.GoneHandshake, errTorrent)
	default:
		p.ready(c, m.shake)
	}
}

func (p *peer) ready(c actor.Context, h frame.Handshake) {
	p.id, p.extensions = h.PeerID, h.Has(frame.FeatureExtensions)
	c.Send(p.Refs.Peers, &messages.PeerReady{
		Key: p.Key, Peer: c.Self(), Link: p.link.ID(), ID: p.id, Addr: p.link.Remote(),
		Inbound: p.Inbound, At: p.World.Clock.Now(),
	})
}

func (p *peer) welcome(c actor.Context, m *messages.StartSession) {
	if !p.holds(m.Link) || p.session != nil {
		return
	}
	p.session = newSession(m.Torrent, p.Inbound, p.World.Clock.Now())
	p.session.keepAlive -= time.Duration(p.Key%keepAliveSpread) * time.Second
	if m.Have.Any() {
		p.session.frame(frame.Frame{Kind: frame.Bitfield, Bits: bitfield(m.Have, m.Torrent.PieceCount())})
	}
	if p.extensions {
		h := extended.Handshake{Client: p.Client, Requests: maxUploads, Port: p.Port, YourIP: p.link.Remote().Addr()}
		p.session.frame(frame.Frame{Kind: frame.Extended, Index: extended.HandshakeID, Bits: h.Append(nil)})
	}
	p.link.Start(frame.Limits{Pieces: m.Torrent.PieceCount(), Extended: extended.MaxLen}, supervise.DeliverToAny(c))
	p.tickAfter(c, tickBusy)
	p.report(c)
	p.flush(c)
}

// bitfield is the set as it goes on the wire.
func bitfield(have *bitset.BitSet, pieces int) []byte {
	bits := make([]byte, (pieces+7)/8)
	for i, ok := have.NextSet(0); ok; i, ok = have.NextSet(i + 1) {
		frame.SetBit(bits, i)
	}
	return bits
}

// end finishes this peer for good; peers decides whether to try again.
func (p *peer) end(c actor.Context, why messages.GoneReason, err error) {
	p.gone(c, why, err)
	p.release()
	supervise.StopSelf(c, why.String())
}

// gone tells, once for each link, those who count on it.
func (p *peer) gone(c actor.Context, why messages.GoneReason, err error) {
	if p.reported {
		return
	}
	p.reported = true
	p.report(c) // the last totals
	m := &messages.PeerGone{Key: p.Key, Addr: p.Addr, Reason: why, Err: err}
	if p.link != nil {
		m.Link = p.link.ID()
	}
	c.Send(p.Refs.Peers, m)
	if p.session != nil {
		c.Send(p.Refs.Scheduler, m)
		c.Send(p.Refs.Choker, m)
	}
}

func (p *peer) release() {
	if p.cancel != nil {
		p.cancel()
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.link != nil {
		p.link.Close(errors.New("closed by us"))
	}
	p.cancel, p.timer, p.link, p.session = nil, nil, nil, nil
}

func (p *peer) holds(link uint64) bool { return p.link != nil && p.link.ID() == link }

// goneReason tells a peer that broke the protocol from one that went away.
func goneReason(err error) messages.GoneReason {
	if violation := new(frame.ProtocolError); errors.As(err, &violation) {
		return messages.GoneProtocol
	}
	return messages.GoneClosed
}
