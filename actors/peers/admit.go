package peers

import (
	"errors"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/messages"
)

// adopt lets a connection in, unless its peer is banned or its host has enough of
// them.
func (p *peers) adopt(c actor.Context, m *messages.AdoptLink) {
	remote := m.Link.Remote()
	if err := p.refuse(remote.Addr(), m.Handshake.PeerID); err != nil {
		m.Link.Close(err)
		return
	}
	s, err := p.spawn(c, remote, true)
	if err != nil {
		m.Link.Close(err)
		return
	}
	c.Send(s.pid, m)
}

func (p *peers) refuse(host netip.Addr, id [20]byte) error {
	if p.disband != nil {
		return errors.New("stopping")
	}
	if p.known.barred(host, id) {
		return errors.New("banned")
	}
	if len(p.slots) >= p.Max-p.kept() {
		p.turned = true
		return errors.New("too many connections")
	}
	same := 0
	for _, s := range p.slots {
		if s.Inbound && s.host() == messages.HostOf(host) {
			same++
		}
	}
	if same > 0 && same >= p.Max/maxPerHost {
		p.turned = true
		return errors.New("too many connections from this host")
	}
	return nil
}

// kept is how many connections those who come in leave to those that we dial.
func (p *peers) kept() int {
	most := p.Max / keptShare
	if len(p.slots) < p.Max-most {
		return 0 // it does not matter
	}
	dialled := 0
	for _, s := range p.slots {
		if !s.Inbound {
			dialled++
		}
	}
	return min(max(0, most-dialled), p.known.waiting())
}

// ready lets a peer into the swarm, unless it is ourselves or connected
// already.
func (p *peers) ready(c actor.Context, m *messages.PeerReady) {
	s := p.slots[m.Key]
	if s == nil {
		return
	}
	s.ready, s.id, s.remote, s.gone = true, m.ID, m.Addr, false
	s.since, s.useful = p.World.Clock.Now(), false
	if s.Inbound && p.known.barred(m.Addr.Addr(), m.ID) {
		c.Send(s.pid, &messages.Disconnect{Reason: messages.GoneBanned})
		return
	}
	if m.ID == p.Self {
		c.Send(s.pid, &messages.Disconnect{Reason: messages.GoneSelf})
		return
	}
	if !s.Inbound {
		p.pause = time.Time{}
		p.known.met(s.Addr)
	}
	if !p.settle(c, s) {
		return
	}
	c.Forward(p.Refs.Scheduler)
	p.dial(c)
}
