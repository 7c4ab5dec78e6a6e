// Package peer is the actor of one connection to a peer: the peer wire
// protocol (BEP 3), the requests that are under way, and the upload queue.
//
// It dials its address, or adopts a link that came in, and after StartSession speaks
// for the engine: payload goes to the store, coordinates to the scheduler,
// rates to the choker. What it decides stands in session.go and the files that
// a session is made of; this file only carries messages.
package peer

import (
	"errors"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/rate"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

const (
	blockSize  = buffer.Size
	maxRequest = 128 << 10 // the longest request that is served

	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	adoptTimeout     = 10 * time.Second
	silence          = 15 * time.Second // after which a connection yields to another with the same peer
	tickBusy         = time.Second      // while bytes move
	tickIdle         = 5 * time.Second
)

var (
	errIdle    = errors.New("the peer has sent nothing for 3 minutes")
	errTorrent = errors.New("the handshake is for another torrent")
	errAdopt   = errors.New("no connection to adopt")

	errSuperseded = errors.New("replaced by a newer connection")
)

// Config is what a peer is built from.
type Config struct {
	World    *world.World
	Refs     messages.Refs
	InfoHash metainfo.Hash // what is in the torrent comes with StartSession
	Self     [20]byte      // our peer id
	Client   string        // our name and version
	Port     uint16        // at which we can be dialled; 0: nowhere
	Key      messages.PeerKey
	Addr     netip.AddrPort
	Inbound  bool // adopts a link instead of dialling
	Limits   messages.SetLimits
}

// New builds a peer. It starts from its address alone; a link that an earlier
// incarnation had is gone.
func New(c Config) actor.Actor { return &peer{Config: c} }

type peer struct {
	Config
	cancel  func() // ends a dial
	timer   world.Timer
	due     *tick // the one that timer brings
	dormant bool  // it may be long until then: nothing moves

	link messages.Link
	id   [20]byte
	// extensions: the other side offers the extension protocol (BEP 10).
	extensions bool
	session    *session // from StartSession on
	reported   bool     // PeerGone has been said of this link
	useful     bool     // PeerUseful has

	tokens  [2]int  // bytes granted and not used, by direction
	waiting [2]bool // for tokens
}

// The answers of the world, as messages.
type (
	dialled struct {
		link messages.Link
		err  error
	}
	shaken struct {
		link  uint64
		shake frame.Handshake
		err   error
	}
	tick       struct{ link uint64 }
	adoptLapse struct{}
)

// Discard closes a link that was dialled for an incarnation that is over.
func (d *dialled) Discard() {
	if d.link != nil {
		d.link.Close(errSuperseded)
	}
}

func (p *peer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		p.start(c)
	case *dialled:
		p.dialled(c, m)
	case *messages.AdoptLink:
		p.adopt(c, m)
	case *adoptLapse:
		if p.link == nil {
			p.end(c, messages.GoneHandshake, errAdopt)
		}
	case *shaken:
		p.shaken(c, m)
	case *messages.StartSession:
		p.welcome(c, m)

	case *messages.FramesReceived:
		p.received(c, m)
	case *messages.FramesSent:
		p.sent(c, m)
	case *messages.LinkClosed:
		if p.holds(m.Link) {
			p.end(c, goneReason(m.Err), m.Err)
		}

	case *messages.RequestBlocks:
		if p.session != nil && !p.session.flags.PeerChoking {
			p.session.requests.waiting = append(p.session.requests.waiting, m.Blocks...)
			p.flush(c)
		}
	case *messages.CancelBlocks:
		if p.session != nil {
			p.session.cancel(m.Blocks)
			p.flush(c)
		}
	case *messages.SetInterested:
		if p.session != nil {
			p.session.interested(m.Interested)
			p.flush(c)
		}
	case *messages.AnnounceHave:
		p.announce(c, m.Pieces)
	case *messages.SetChoked:
		if p.session != nil {
			p.session.choke(m.Choked)
			p.flush(c)
		}

	case *messages.PiecesServable:
		p.leased(c, m)
	case *messages.SetLimits:
		p.Limits = *m
		p.waiting = [2]bool{} // a limiter that was restarted has forgotten us
		p.flush(c)
	case *messages.TokensGranted:
		p.tokens[m.Direction] += m.Bytes
		p.waiting[m.Direction] = false
		p.flush(c)

	case *messages.ReportRates:
		p.report(c)
	case *tick:
		p.tick(c, m)
	case *messages.ProveAlive:
		if p.session != nil && p.World.Clock.Now().Sub(p.session.heard) > silence {
			p.end(c, messages.GoneDuplicate, nil)
		}
	case *messages.Disconnect:
		p.end(c, m.Reason, nil)
	case *actor.Restarting:
		p.gone(c, messages.GoneFailed, nil)
		p.release()
	case *actor.Stopping:
		p.gone(c, messages.GoneStopping, nil)
		p.release()
	}
}

func (p *peer) received(c actor.Context, m *messages.FramesReceived) {
	if !p.holds(m.Link) || p.session == nil {
		for i := range m.Frames {
			if b := m.Frames[i].Block; b != nil {
				b.Release()
			}
		}
		return
	}
	var err error
	p.session.batch = len(m.Frames)
	for i := range m.Frames {
		if err = p.session.received(&m.Frames[i], m.At); err != nil {
			break
		}
	}
	p.session.batchDone(m.At)
	p.link.Done(m)
	p.flush(c)
	if err != nil {
		p.end(c, messages.GoneProtocol, err)
	}
}

func (p *peer) sent(c actor.Context, m *messages.FramesSent) {
	if !p.holds(m.Link) || p.session == nil {
		return
	}
	up := &p.session.up
	up.Add(m.At, m.Payload)
	p.session.uploads.sent(int64(m.Payload), up.Over(m.At, recent))
	p.proveUseful(c)
	p.flush(c)
}

func (p *peer) proveUseful(c actor.Context) {
	if !p.useful {
		p.useful = true
		c.Send(p.Refs.Peers, &messages.PeerUseful{Key: p.Key})
	}
}

func (p *peer) announce(c actor.Context, pieces []uint32) {
	if p.session == nil {
		return
	}
	p.session.haves(pieces)
	p.flush(c)
}

func (p *peer) leased(c actor.Context, m *messages.PiecesServable) {
	if !p.holds(m.Link) || p.session == nil {
		return
	}
	err := p.session.leased(m, p.World.Clock.Now())
	p.flush(c)
	if err != nil {
		p.end(c, messages.GoneProtocol, err)
	}
}

func (p *peer) tick(c actor.Context, m *tick) {
	if m != p.due || !p.holds(m.link) || p.session == nil {
		return
	}
	p.dormant = false
	now := p.World.Clock.Now()
	if err := p.session.tick(now); err != nil {
		p.end(c, messages.GoneIdle, err)
		return
	}
	p.flush(c)
	switch {
	case p.session.down.Over(now, rate.MaxSpan)+p.session.up.Over(now, rate.MaxSpan) > 0:
		p.report(c)
		p.tickAfter(c, tickBusy)
	case p.session.dormant():
		p.session.shrink()
		p.dormant = true
		p.tickAfter(c, max(p.session.deadline().Sub(now), tickIdle))
	default:
		p.tickAfter(c, tickIdle)
	}
}

func (p *peer) tickAfter(c actor.Context, d time.Duration) {
	p.due = &tick{p.link.ID()}
	p.timer = supervise.SendAfter(c, p.World.Clock, d, p.due)
}

// flush carries out what the session wants done. Requests and uploads go as far
// as the limiter's tokens allow.
func (p *peer) flush(c actor.Context) {
	if p.session == nil {
		return
	}
	s, now := p.session, p.World.Clock.Now()
	p.spend(messages.Down, s.ask(p.allowance(messages.Down), now))
	p.spend(messages.Up, s.serve(p.allowance(messages.Up)))
	if pieces := s.uploads.inquire(); pieces != nil {
		c.Send(p.Refs.Store, &messages.QueryServable{Link: p.link.ID(), Pieces: pieces, ReplyTo: c.Self()})
	}
	p.wantTokens(c)

	out := &s.out
	if len(out.send) > 0 {
		p.link.Send(out.send)
		s.spoke = now
		clear(out.send)
	}
	p.link.Expect(len(s.requests.flight))
	if len(out.stored) > 0 {
		p.proveUseful(c)
		c.Send(p.Refs.Store, &messages.StoreBlocks{Key: p.Key, Blocks: out.stored})
	}
	if out.has != nil {
		c.Send(p.Refs.Scheduler, &messages.PeerBitfield{Key: p.Key, Have: out.has})
	}
	if len(out.got) > 0 {
		c.Send(p.Refs.Scheduler, &messages.PeerHave{Key: p.Key, Pieces: out.got})
	}
	window := s.window.requests()
	if len(out.arrived) > 0 {
		c.Send(p.Refs.Scheduler, &messages.BlocksArrived{Key: p.Key, Blocks: out.arrived, Window: window, At: now})
	}
	if len(out.dropped) > 0 || out.snubbed {
		c.Send(p.Refs.Scheduler, &messages.RequestsDropped{Key: p.Key, Blocks: out.dropped, Window: window, Snubbed: out.snubbed})
	}
	if out.voided && !s.flags.PeerChoking {
		c.Send(p.Refs.Scheduler, &messages.PeerChoking{Key: p.Key, Choking: true, Window: window})
	}
	if out.turned {
		c.Send(p.Refs.Scheduler, &messages.PeerChoking{Key: p.Key, Choking: s.flags.PeerChoking, Window: window})
	}
	if p.dormant && !s.dormant() {
		p.dormant = false
		p.timer.Stop()
		p.tickAfter(c, tickBusy)
	}
	reflag := out.reflag
	*out = effects{send: out.send[:0]}
	if reflag {
		p.report(c)
	}
}

func (p *peer) report(c actor.Context) {
	if p.session == nil {
		return
	}
	s, now := p.session, p.World.Clock.Now()
	m := &messages.PeerRates{
		Key: p.Key, Peer: c.Self(), Host: messages.HostOf(p.link.Remote().Addr()), At: now,
		Down: s.down.Over(now, rate.MaxSpan), Up: s.up.Over(now, rate.MaxSpan),
		DownNow: s.down.Over(now, recent), UpNow: s.up.Over(now, recent),
		Taking:    s.up.Over(now, recent) > 0 || s.uploads.handed == 0 && len(s.uploads.queue) > 0,
		DownTotal: s.down.Total(), UpTotal: s.up.Total(), WastedTotal: s.wasted,
		Flags: s.flags, Window: s.window.requests(), InFlight: s.requests.outstanding(),
	}
	c.Send(p.Refs.Choker, m)
	c.Send(p.Refs.Scheduler, m)
}

func bytesOf(blocks []messages.Block) (n int) {
	for _, b := range blocks {
		n += int(b.Length)
	}
	return n
}
