package dht

import (
	"net/netip"
	"slices"
	"time"

	"kouzui/wire/krpc"
)

const (
	// alpha is how many queries of a lookup are under way at once. One that is not
	// answered soon does not count any more, see shortTimeout.
	alpha = 5
	// lookupNodes is how many nodes of each kind a lookup keeps: the nearest ones.
	lookupNodes = 100
	// lookupPeers is how many peers a lookup takes: whoever lies does not fill our
	// memory.
	lookupPeers = 1000
	// maxRepeats is how many contacts of a lookup are asked once more that are
	// late: enough for a node that starts some seconds after us.
	maxRepeats = 4
)

// A lookup counts by themselves the nodes whose ids fit their addresses (BEP
// 42): whoever has few addresses can put any number of other ids beside a
// target, and crowds out no node that fits.
const (
	misfits = iota
	fitting
	kinds
)

// lookup looks for the nodes nearest to a target, by asking ever nearer ones.
// It has ended when of each kind the eight nearest that answer at all have
// answered. Who makes a lookup says what is asked, and when.
type lookup struct {
	target krpc.ID
	// Of search or inquiry the peers are looked for; both nil: only nodes are.
	search  *search
	inquiry *inquiry
	// contacts are addresses of nodes whose ids are not known yet. They are asked
	// before all others.
	contacts []netip.AddrPort
	repeats  int                         // contacts that were asked once more
	meeting  []netip.AddrPort            // contacts of which an answer is waited for, late ones too
	nodes    [kinds][]candidate          // nearest first
	asking   int                         // queries under way that are not late
	patience time.Duration               // how long an answer is waited for; zero: until it fails, as nobody has answered
	peers    map[netip.AddrPort]struct{} // that were told; nil: none yet
	ended    bool
}

// candidate is a node that others have told, or that we know.
type candidate struct {
	krpc.Node
	state state
	token []byte // for an announce; nil: it has given none
	again again  // it has answered, and is asked once more
}

// again is why a node is asked for other nodes once it has answered.
type again uint8

const (
	never again = iota
	// unnamed: it has named peers and no nodes, as BEP 5 has it.
	unnamed
	// aside: most of the nodes that it named do not fit. These may crowd out all
	// others beside the target, but not around it: it is asked for an id that
	// shares one bit more with the target than its own.
	aside
)

// state is how far a lookup has come with a node.
type state uint8

const (
	fresh  state = iota // not asked yet
	asked               // a query is under way
	late                // it has not answered soon; it may still
	silent              // it may still, but nobody waits for it
	answered
	failed
)

func kindOf(node krpc.Node) int {
	if idFits(node.ID, node.Addr.Addr()) {
		return fitting
	}
	return misfits
}

// add enters a node, unless the lookup has one of its kind in the same subnet
// already: who has many addresses in one subnet is not to crowd out the others.
func (l *lookup) add(node krpc.Node) {
	if l.ended {
		return
	}
	list := &l.nodes[kindOf(node)]
	net := subnetOf(node.Addr)
	if slices.ContainsFunc(*list, func(c candidate) bool { return subnetOf(c.Addr) == net }) {
		return
	}
	at, _ := slices.BinarySearchFunc(*list, node, func(c candidate, node krpc.Node) int {
		switch {
		case c.ID == node.ID:
			return 0
		case nearer(c.ID, node.ID, l.target):
			return -1
		}
		return 1
	})
	if at == lookupNodes {
		return
	}
	if len(*list) == lookupNodes {
		if s := (*list)[lookupNodes-1].state; s == asked || s == late {
			return // what is under way is not forgotten
		}
		*list = (*list)[:lookupNodes-1]
	}
	*list = slices.Insert(*list, at, candidate{Node: node})
}

// front is how a lookup stands with the eight nearest nodes of a kind. Those
// that failed, or are late or silent, are not among them.
type front struct {
	counted int        // the eight, or as many as there are
	asked   int        // of them
	next    *candidate // of them, to be asked next; nil: all have been asked
	late    bool       // one that is nearer than the last of them is late
}

func (l *lookup) front(kind int) (f front) {
	for i := range l.nodes[kind] {
		c := &l.nodes[kind][i]
		switch c.state {
		case failed, silent:
			continue
		case late:
			f.late = true
			continue
		case fresh:
			if f.next == nil {
				f.next = c
			}
		case asked:
			f.asked++
		}
		if f.counted++; f.counted == bucketSize {
			break
		}
	}
	return f
}

// next returns the node to be asked next, and false if none is to be asked now.
// The lookup ends when none is under way either. Both kinds are asked in turn:
// nodes that never answer cannot put off those of the other kind.
func (l *lookup) next() (krpc.Node, bool) {
	if len(l.contacts) > 0 {
		return krpc.Node{Addr: l.contacts[0]}, l.asking < alpha
	}
	fit, other := l.front(fitting), l.front(misfits)
	next := fit.next
	if c := other.next; next == nil ||
		c != nil && (other.asked < fit.asked || other.asked == fit.asked && nearer(c.ID, next.ID, l.target)) {
		next = c
	}
	if next != nil {
		return next.Node, l.asking < alpha
	}
	// Late ones are waited for while there are too few others, and those that fit
	// while too few do.
	few := fit.counted+other.counted < bucketSize
	waits := few && (len(l.meeting) > 0 || other.late) || fit.counted < bucketSize && fit.late
	l.ended = !waits && fit.asked+other.asked == 0
	return krpc.Node{}, false
}

func (l *lookup) find(node krpc.Node) *candidate {
	list := l.nodes[kindOf(node)]
	for i := range list {
		if list[i].Node == node {
			return &list[i]
		}
	}
	return nil
}

// ask enters that the node of next has been asked.
func (l *lookup) ask(node krpc.Node) {
	l.asking++
	if node.ID == (krpc.ID{}) {
		l.contacts = l.contacts[1:]
		l.meeting = append(l.meeting, node.Addr)
	} else if c := l.find(node); c != nil {
		c.state = asked
	}
}

// tardy enters that a node has not answered soon: another may be asked.
func (l *lookup) tardy(node krpc.Node) {
	l.asking--
	if c := l.find(node); c != nil {
		c.state = late
		if c.again != never {
			c.state = answered
		}
	}
}

// repeat has a contact asked once more that is late: the query may have been
// lost, or the node was not up yet. Nobody else is known who could be asked.
func (l *lookup) repeat(to krpc.Node) {
	if to.ID == (krpc.ID{}) && l.repeats < maxRepeats && len(l.contacts) < maxContacts {
		l.repeats++
		l.contacts = append(l.contacts, to.Addr)
	}
}

// done enters that a query is over that was late, or was not.
func (l *lookup) done(to krpc.Node, wasLate bool) {
	if !wasLate {
		l.asking--
	}
	l.forgetContact(to)
}

// forgetContact enters that no answer of a contact is waited for, if the node
// is one.
func (l *lookup) forgetContact(to krpc.Node) {
	if at := slices.Index(l.meeting, to.Addr); to.ID == (krpc.ID{}) && at >= 0 {
		l.meeting = slices.Delete(l.meeting, at, at+1)
	}
}

// giveUp enters that a late node is not waited for any more, as others have
// answered.
func (l *lookup) giveUp(to krpc.Node) {
	l.forgetContact(to)
	if c := l.find(to); c != nil && c.state == late {
		c.state = silent
	}
}

// fail enters that a node does not answer, or is not what it was said to be.
func (l *lookup) fail(to krpc.Node, wasLate bool) {
	l.done(to, wasLate)
	if c := l.find(to); c != nil {
		c.state = failed
		if c.again != never {
			c.state = answered
		}
	}
}

// askAgain has a node that has answered asked once more, for nodes alone.
func (l *lookup) askAgain(node krpc.Node, why again) {
	if c := l.find(node); c != nil {
		c.state, c.again = fresh, why
	}
}

// answer enters that a node has answered, and copies its token. It returns
// false if the node is none of the lookup: a contact that is crowded out by
// another of its subnet.
func (l *lookup) answer(to, node krpc.Node, token []byte, wasLate bool) bool {
	l.done(to, wasLate)
	if to.ID == (krpc.ID{}) {
		l.add(node)
	}
	c := l.find(node)
	if c == nil {
		return false
	}
	c.state = answered
	if token != nil {
		c.token = slices.Clone(token)
	}
	return true
}

// told returns those of the peers that have not been told before in this
// lookup.
func (l *lookup) told(peers []netip.AddrPort) (fresh []netip.AddrPort) {
	for _, p := range peers {
		if _, known := l.peers[p]; known || len(l.peers) == lookupPeers {
			continue
		}
		if l.peers == nil {
			l.peers = map[netip.AddrPort]struct{}{}
		}
		l.peers[p] = struct{}{}
		fresh = append(fresh, p)
	}
	return fresh
}

// nearest returns the nodes that have answered, nearest first, at most eight of
// each kind.
func (l *lookup) nearest() (list []candidate) {
	for _, nodes := range l.nodes {
		n := 0
		for _, c := range nodes {
			if c.state == answered && n < bucketSize {
				list = append(list, c)
				n++
			}
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		if nearer(a.ID, b.ID, l.target) {
			return -1
		}
		return 1
	})
	return list
}
