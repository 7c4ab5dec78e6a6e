package sim

import (
	"math"
	"math/rand/v2"
)

// Schedule makes the line of a world: the mailboxes that have messages, in
// whatever order they get their turns. Time stands still meanwhile, so that any
// order is one that could be. Mailboxes of hosts with cores wait for a core
// instead.
type Schedule func(*Sim) line

// turn is a mailbox that has messages.
type turn interface {
	take()
	rank() *rank
}

// rank is what a schedule remembers of a mailbox.
type rank struct {
	drawn bool
	value float64
}

// of returns the rank, which is drawn when it is first asked for.
func (r *rank) of(draw func() float64) float64 {
	if !r.drawn {
		r.drawn, r.value = true, draw()
	}
	return r.value
}

func (m *mailbox) rank() *rank { return &m.ranked }

func (t *together) rank() *rank { return &t.ranked }

// line holds the mailboxes that have messages.
type line interface {
	add(turn)
	// next takes a mailbox out, of which there must be one.
	next() turn
	len() int
}

// bag is a line without order.
type bag struct{ turns []turn }

func (b *bag) add(t turn) { b.turns = append(b.turns, t) }
func (b *bag) len() int   { return len(b.turns) }

// remove takes the ith out.
func (b *bag) remove(i int) turn {
	t, last := b.turns[i], len(b.turns)-1
	b.turns[i] = b.turns[last]
	b.turns[last] = nil
	b.turns = b.turns[:last]
	return t
}

type random struct {
	bag
	rnd *rand.Rand
}

// Random takes any mailbox, all alike. It is the usual schedule.
func Random() Schedule {
	return func(s *Sim) line { return &random{rnd: s.Rand("order")} }
}

func (r *random) next() turn { return r.remove(r.rnd.IntN(len(r.turns))) }

type first struct{ fifo[turn] }

// FIFO takes the mailbox that has waited longest.
func FIFO() Schedule {
	return func(*Sim) line { return &first{} }
}

func (f *first) add(t turn) { f.push(t) }
func (f *first) next() turn { return f.pop() }

type last struct{ bag }

// LIFO takes the mailbox that has waited least.
func LIFO() Schedule {
	return func(*Sim) line { return &last{} }
}

func (l *last) next() turn { return l.remove(len(l.turns) - 1) }

type pct struct {
	bag
	rnd   *rand.Rand
	falls map[int]bool // by the number of the turn
	turn  int
	floor float64 // below all priorities
}

// PCT is probabilistic concurrency testing (Burckhardt 2010): the mailbox of
// the highest priority goes first. Priorities are drawn once, and at depth-1 of
// the first steps turns, which are drawn too, the mailbox whose turn it is
// falls below all others. A fault that takes depth turns in a certain order is
// found with a chance of 1/(mailboxes * steps^(depth-1)) at least. There must
// be depth-1 steps or more.
func PCT(depth, steps int) Schedule {
	return func(s *Sim) line {
		p := &pct{rnd: s.Rand("schedule"), falls: map[int]bool{}}
		for len(p.falls) < depth-1 {
			p.falls[p.rnd.IntN(steps)] = true
		}
		return p
	}
}

func (p *pct) next() turn {
	best, highest := 0, math.Inf(-1)
	for i, t := range p.turns {
		if of := t.rank().of(p.rnd.Float64); of > highest {
			best, highest = i, of
		}
	}
	t := p.remove(best)
	if p.falls[p.turn] {
		p.floor--
		t.rank().value = p.floor
	}
	p.turn++
	return t
}

type weighted struct {
	bag
	rnd  *rand.Rand
	skew float64
}

// Priorities takes any mailbox, but each has a chance of its own, which is
// drawn once and at most skew times that of another.
func Priorities(skew float64) Schedule {
	return func(s *Sim) line { return &weighted{rnd: s.Rand("schedule"), skew: skew} }
}

func (w *weighted) chance() float64 { return math.Pow(w.skew, -w.rnd.Float64()) }

func (w *weighted) next() turn {
	sum := 0.0
	for _, t := range w.turns {
		sum += t.rank().of(w.chance)
	}
	at := w.rnd.Float64() * sum
	for i, t := range w.turns {
		if at -= t.rank().value; at < 0 {
			return w.remove(i)
		}
	}
	return w.remove(len(w.turns) - 1) // the sum was rounded
}
