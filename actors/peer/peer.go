// Package peer is the actor of one connection to a peer: the peer wire protocol
// (BEP 3), the requests that are under way, and the upload queue.
//
// The actor dials its address, or adopts a link that came in. After
// StartSession payload goes to the store, coordinates of blocks to the
// scheduler, and rates to the choker. What is decided stands in connection.go,
// session.go and the files that a session is made of; this file only carries
// messages.
package peer

import (
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
	"kouzui/wire/mse"
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
	Inbound  bool            // adopts a link instead of dialling
	Encrypt  mse.Methods     // offered when it dials; 0: the connection is not encrypted
	Source   messages.Source // from which we have the address
	Limits   messages.SetLimits
	Queue    Queue
	// AwaitsMetainfo: what is in the torrent was not known when the peer was made,
	// so its session begins before StartSession.
	AwaitsMetainfo bool
}

// New builds a peer. A restarted peer begins with its address alone, and with
// no link: that of the earlier incarnation is closed.
func New(c Config) actor.Actor { return &peer{config: c} }

type peer struct {
	config      Config
	*connection               // from Started on
	link        messages.Link // nil: there is none yet
	cancel      func()        // ends the dial; nil: none is under way
	timer       supervise.Timer
}

// addresses are the actors that a peer speaks to.
type addresses struct {
	messages.Refs
	self *actor.PID
}

// The answers of the world, as messages.
type (
	dialled struct {
		link messages.Link
		err  error
	}
	// begun: all of the handshake but the peer id.
	begun  struct{ handshake frame.Handshake }
	shaken struct {
		handshake frame.Handshake
		encrypted messages.Encrypted
		err       error
	}
	ticked      struct{}
	adoptLapsed struct{}
)

// Discard closes a link that was dialled for an incarnation that is over.
func (d *dialled) Discard() {
	if d.link != nil {
		d.link.Close(errReplaced)
	}
}

func (p *peer) Receive(c actor.Context) {
	switch c.Message().(type) {
	case *actor.Started:
		p.start(c)
		return
	case *actor.Restarting:
		p.out = actions{} // of a message that was not handled to its end
		p.finish(c, messages.GoneFailed)
		return
	case *actor.Stopping:
		p.finish(c, messages.GoneStopping)
		return
	case *actor.Stopped:
		return
	}
	p.now = p.config.World.Clock.Now()
	p.handle(c.Message())
	p.carryOut(c)
	if m, is := c.Message().(*messages.SendingMeasured); is {
		supervise.Remark(c, "sending_measured", event.Text("chosen", m.Chosen),
			event.Number("sendfile_ns", m.Sendfile), event.Number("copied_ns", m.Copied), event.Number("mapped_ns", m.Mapped))
	}
}

func (p *peer) start(c actor.Context) {
	p.connection = newConnection(p.config, addresses{p.config.Refs, c.Self()})
	if p.Inbound {
		p.timer.SetAfter(c, p.config.World.Clock, adoptTimeout, &adoptLapsed{})
		return
	}
	deliver := supervise.Deliver(c)
	p.cancel = p.config.World.Network.Dial(p.Addr, dialTimeout, func(l messages.Link, err error) { deliver(&dialled{l, err}) })
}

func (p *peer) handle(message any) {
	switch m := message.(type) {
	case *messages.FramesReceived:
		if p.session == nil || m.Link != p.linkID {
			m.Discard()
			return
		}
		p.received(m)
		p.link.Done(m)

	case *dialled:
		p.cancel, p.link = nil, m.link
		p.dialled(m.link, m.err)
	case *begun:
		p.begun(m.handshake)
	case *shaken:
		p.shaken(m.handshake, m.encrypted, m.err)
	case *messages.AdoptLink:
		if p.link != nil {
			m.Link.Close(errReplaced)
			return
		}
		p.timer.Stop()
		p.link = m.Link
		p.adopt(m)
	case *adoptLapsed:
		p.adoptLapsed()

	case *messages.StartSession:
		p.startSession(m)
	case *messages.SetLimits:
		p.setLimits(m)
	case *messages.SetPublicity:
		p.setPublicity(m)
	case *messages.TokensGranted:
		p.granted(m)
	case *messages.Disconnect:
		p.end(m.Reason, nil)
	case *messages.LinkClosed:
		if m.Link == p.linkID {
			p.closed(m.Err)
		}
	default:
		if p.session != nil {
			p.inSession(message)
		}
	}
}

// inSession handles what concerns only a peer whose session has started.
func (p *peer) inSession(message any) {
	switch m := message.(type) {
	case *messages.FramesSent:
		if m.Link == p.linkID {
			p.sent(m)
		}
	case *messages.SendingMeasured:
		p.out.Send(p.to.Session, m)
	case *messages.PiecesServable:
		if m.Link == p.linkID {
			p.servable(m)
		}
	case *messages.RequestBlocks:
		p.request(m)
	case *messages.CancelBlocks:
		p.session.cancel(m.Blocks)
		p.flush()
	case *messages.SetInterested:
		p.session.setInterested(m.Interested)
		p.flush()
	case *messages.SetUploadOnly:
		p.session.setUploadOnly(m.UploadOnly)
		p.flush()
	case *messages.SetChoked:
		p.session.setChoked(m.Choked)
		p.flush()
	case *messages.AnnounceHave:
		p.session.announce(m.Pieces)
		p.flush()
	case *messages.ReportRates:
		p.report()
	case *messages.TellPeers:
		p.tellPeers(m)
	case *messages.RequestMetadata:
		p.requestMetadata(m)
	case *messages.QueryMetadataOffers:
		p.offerMetadata()
	case *messages.MetadataLied:
		p.end(messages.GoneBanned, errLied)
	case *messages.ProveAlive:
		p.proveAlive()
	case *ticked:
		p.tick()
	}
}

// carryOut does what the connection wants done.
func (p *peer) carryOut(c actor.Context) {
	out := &p.out
	if out.listen && p.Encrypt != 0 {
		p.link.Encrypt(messages.Encryption{Methods: p.Encrypt, InfoHash: p.InfoHash})
	}
	if out.greet {
		p.link.SendHandshake(p.handshake())
	}
	if out.listen {
		deliver, link := supervise.Deliver(c), p.link
		link.ReadHandshake(handshakeTimeout, func(h frame.Handshake) { deliver(&begun{h}) }, func(h frame.Handshake, err error) { deliver(&shaken{h, link.Encrypted(), err}) })
	}
	if s := p.session; s != nil {
		if out.start {
			p.link.Start(p.limits(), supervise.DeliverToAny(c))
		}
		if len(s.out.frames) > 0 {
			p.link.Send(s.out.frames)
			s.framesQueued(p.dormant)
		}
		p.link.Expect(len(s.requests.flight))
	}
	out.Flush(c.Send)
	if out.note != messages.EncryptedNothing {
		supervise.Remark(c, "encrypted", event.Text("what", out.note.String()))
	}
	if p.dormant {
		out.Outbox = messages.Outbox{} // its memory is not needed for long
	}
	if out.tick > 0 {
		p.timer.SetAfter(c, p.config.World.Clock, out.tick, &ticked{})
	}
	out.greet, out.listen, out.start, out.tick, out.note = false, false, false, 0, messages.EncryptedNothing
	if out.end {
		p.release()
		supervise.StopSelf(c, out.reason.String())
	}
}

// finish tells that the peer is gone, unless that was told, and lets go of its
// link.
func (p *peer) finish(c actor.Context, reason messages.GoneReason) {
	if p.connection == nil {
		return
	}
	p.now = p.config.World.Clock.Now()
	p.gone(reason, nil)
	p.out.Flush(c.Send)
	p.release()
}

func (p *peer) release() {
	if p.cancel != nil {
		p.cancel()
	}
	p.timer.Stop()
	if p.link != nil {
		p.link.Close(errByUs)
	}
	p.cancel, p.link, p.session = nil, nil, nil
}
