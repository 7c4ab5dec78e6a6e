package socket

import (
	"encoding/binary"
	"net/netip"
	"time"

	"kouzui/messages"
)

const (
	// perTracker is how many answers a tracker may wait for at a time: it sends a
	// request again before it gives up the first.
	perTracker = 16
	// maxTransactions bounds the answers that all trackers wait for: with as many,
	// no more is sent for them until some have come or expired.
	maxTransactions = 1 << 14
	// minSweep is the number of transactions below which the expired ones are not
	// looked for.
	minSweep = 64
)

// minAnswer is the length of the shortest answer of a tracker: action and
// transaction id (BEP 15).
const minAnswer = 8

// transaction is an answer that a tracker waits for.
type transaction struct {
	from netip.AddrPort
	id   uint32
}

type waiting struct {
	tracker address
	until   time.Time
}

// route decides by its content to whom a datagram goes.
type route struct {
	dht     address // nil: there is none
	waiting map[transaction]waiting
	counts  map[string]int // of waiting, by tracker
	sweep   int            // the number of transactions at which expired ones are looked for
}

func newRoute(dht address) *route {
	return &route{dht: dht, waiting: map[transaction]waiting{}, counts: map[string]int{}, sweep: minSweep}
}

// expect enters the answers that a tracker will wait for. It tells whether
// there is room for them.
func (r *route) expect(m *messages.SendDatagrams, now time.Time) bool {
	if len(r.waiting) >= r.sweep {
		r.expire(now)
	}
	tracker := m.From.Id
	if r.counts[tracker]+len(m.Datagrams) > perTracker || len(r.waiting)+len(m.Datagrams) > maxTransactions {
		if r.expire(now); r.counts[tracker]+len(m.Datagrams) > perTracker || len(r.waiting)+len(m.Datagrams) > maxTransactions {
			return false
		}
	}
	for _, d := range m.Datagrams {
		t := transaction{d.Addr, m.Transaction}
		r.forget(t)
		r.waiting[t] = waiting{m.From, m.Until}
		r.counts[tracker]++
	}
	return true
}

// unsent takes back what expect has entered.
func (r *route) unsent(m *messages.SendDatagrams) {
	for _, d := range m.Datagrams {
		r.forget(transaction{d.Addr, m.Transaction})
	}
}

func (r *route) forget(t transaction) {
	w, is := r.waiting[t]
	if !is {
		return
	}
	delete(r.waiting, t)
	if r.counts[w.tracker.Id]--; r.counts[w.tracker.Id] == 0 {
		delete(r.counts, w.tracker.Id)
	}
}

// expire forgets what nobody waits for any more. It costs little for each
// transaction that is entered, as it is done seldom.
func (r *route) expire(now time.Time) {
	for t, w := range r.waiting {
		if !now.Before(w.until) {
			r.forget(t)
		}
	}
	r.sweep = max(2*len(r.waiting), minSweep)
}

// receiver is whom a datagram is for; nil: nobody.
func (r *route) receiver(d messages.Datagram, now time.Time) address {
	if len(d.Data) > 0 && d.Data[0] == 'd' {
		return r.dht
	}
	if len(d.Data) < minAnswer {
		return nil
	}
	t := transaction{d.Addr, binary.BigEndian.Uint32(d.Data[4:])}
	w, is := r.waiting[t]
	if !is {
		return nil
	}
	r.forget(t)
	if !now.Before(w.until) {
		return nil
	}
	return w.tracker
}
