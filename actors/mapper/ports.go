package mapper

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
)

const (
	// lease is how long a mapping is asked for. A router may give less.
	lease = time.Hour
	// minRenewal is how soon a mapping is renewed at the least, whatever lease a
	// router gives.
	minRenewal = time.Minute
	// A router that does not answer, or refuses, is asked again after firstPause,
	// then after twice that, up to lastPause: most people have no such router, and
	// some switch theirs on later.
	firstPause = time.Minute
	lastPause  = time.Hour
)

// ports is the core: what routers are asked for by each protocol, and what they
// have answered. All protocols are asked at once. Each mapping that a router
// gives is kept and renewed, and the oldest of them is told.
type ports struct {
	rand  *rand.Rand
	inner netip.AddrPort // what is to be mapped; zero: nothing
	wish  uint16
	nonce [12]byte
	ways  [world.MappingProtocols]way
	told  messages.PortMapped // last; Outer zero: nothing

	unmapping int // calls of Unmap without answer
	over      bool
	questions []*messages.QueryUnmapped

	effects []any
}

// way is what became of one protocol.
type way struct {
	held      bool // mapped is there
	mapped    world.Mapped
	since     time.Time
	until     time.Time // when the router forgets the mapping; zero: never
	permanent bool      // the router gives no other lease
	failures  int       // since it was mapped last
	due       time.Time // when the router is asked next; zero: not planned
}

// What the shell has to do.
type (
	// ask calls Map.
	ask struct{ world.PortMapping }
	// unmap calls Unmap.
	unmap struct{ world.PortMapping }
	// giveUp cancels all calls of Map.
	giveUp struct{}
	// tell is for the session.
	tell struct{ *messages.PortMapped }
	// reply answers a question.
	reply struct{ *messages.QueryUnmapped }
)

func (p *ports) take() []any {
	done := p.effects
	p.effects = nil
	return done
}

func (p *ports) do(effect any) { p.effects = append(p.effects, effect) }

// set has the port of m mapped, and nothing else.
func (p *ports) set(m *messages.SetMapping, now time.Time) {
	if p.over {
		return
	}
	if m.Inner == p.inner {
		if p.told.Outer.Port() != 0 {
			again := p.told // a session that has started does not know
			p.do(tell{&again})
		}
		return
	}
	p.unmapAll()
	p.inner, p.wish = m.Inner, m.Outer
	for i := range p.nonce {
		p.nonce[i] = byte(p.rand.Uint32())
	}
	if p.inner.IsValid() {
		for by := range p.ways {
			p.ways[by].due = now
		}
		p.askDue(now)
	}
	p.choose()
}

// unmapAll ends what is mapped. What is under way is ended when it is answered.
func (p *ports) unmapAll() {
	for by := range p.ways {
		if p.ways[by].held {
			p.unmap(p.request(world.MappingProtocol(by)), p.ways[by].mapped)
		}
		p.ways[by] = way{permanent: p.ways[by].permanent}
	}
}

// unmap ends what was mapped when it was asked for.
func (p *ports) unmap(asked world.PortMapping, mapped world.Mapped) {
	p.unmapping++
	asked.Outer, asked.Lease = mapped.Outer.Port(), 0
	p.do(unmap{asked})
}

// askDue asks the routers whose time has come, and forgets what has lapsed.
func (p *ports) askDue(now time.Time) {
	for by := range p.ways {
		w := &p.ways[by]
		if w.held && !w.until.IsZero() && !now.Before(w.until) {
			w.held = false
		}
		if w.due.IsZero() || now.Before(w.due) {
			continue
		}
		w.due = time.Time{}
		p.do(ask{p.request(world.MappingProtocol(by))})
	}
	p.choose()
}

func (p *ports) request(by world.MappingProtocol) world.PortMapping {
	w := &p.ways[by]
	m := world.PortMapping{By: by, Inner: p.inner, Outer: p.wish, Lease: lease, Nonce: p.nonce}
	if w.held {
		m.Outer = w.mapped.Outer.Port()
	}
	if w.permanent {
		m.Lease = 0
	}
	return m
}

// answered takes what has become of a call of Map.
func (p *ports) answered(asked world.PortMapping, mapped world.Mapped, err error, now time.Time) {
	w := &p.ways[asked.By]
	if asked.Inner != p.inner || asked.Nonce != p.nonce || p.over {
		if err == nil {
			p.unmap(asked, mapped)
		}
		return
	}
	switch {
	case err == world.ErrOnlyPermanent && !w.permanent:
		w.permanent, w.due = true, now
		p.askDue(now)
		return
	case err != nil:
		w.due = now.Add(min(firstPause<<min(w.failures, 10), lastPause))
		if w.held && !w.until.IsZero() && w.until.Before(w.due) {
			w.due = w.until
		}
		w.failures++
		return
	}
	if !w.held {
		w.since = now
	}
	given := mapped.Lease
	if given == 0 {
		given = lease // routers forget after some days what was to stay
		w.until = time.Time{}
	} else {
		w.until = now.Add(given)
	}
	w.held, w.mapped, w.failures = true, mapped, 0
	w.due = now.Add(max(min(given, lease)/2, minRenewal))
	p.choose()
}

// choose tells the session of the oldest mapping, if that is news.
func (p *ports) choose() {
	var oldest *way
	for by := range p.ways {
		if w := &p.ways[by]; w.held && (oldest == nil || w.since.Before(oldest.since)) {
			oldest = w
		}
	}
	now := messages.PortMapped{Inner: p.inner}
	if oldest != nil {
		now.Outer, now.Router = oldest.mapped.Outer, oldest.mapped.Router
	}
	if now.Outer != p.told.Outer || now.Outer.Port() != 0 && now != p.told {
		p.told = now
		p.do(tell{&now})
	}
}

// end unmaps everything, and answers when that is done.
func (p *ports) end(m *messages.QueryUnmapped) {
	if !p.over {
		p.do(giveUp{})
		p.unmapAll()
		p.over = true
	}
	p.questions = append(p.questions, m)
	p.answer()
}

// unmapped counts an answer to Unmap.
func (p *ports) unmapped() {
	p.unmapping--
	p.answer()
}

func (p *ports) answer() {
	if p.unmapping > 0 {
		return
	}
	for _, m := range p.questions {
		p.do(reply{m})
	}
	p.questions = nil
}

// next is when askDue has something to do; zero: never.
func (p *ports) next() (at time.Time) {
	for by := range p.ways {
		if due := p.ways[by].due; !due.IsZero() && (at.IsZero() || due.Before(at)) {
			at = due
		}
	}
	return at
}
