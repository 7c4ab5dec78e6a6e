package dht

import (
	"net/netip"
	"slices"

	"kouzui/wire/krpc"
)

const (
	// alpha is how many queries of a lookup are under way at once. One that is not
	// answered soon does not count any more, see shortTimeout.
	alpha = 5
	// lookupNodes is how many nodes a lookup keeps: the nearest ones.
	lookupNodes = 100
	// lookupPeers is how many peers a lookup takes: whoever lies does not fill our
	// memory.
	lookupPeers = 1000
)

// lookup looks for the nodes nearest to a target, by asking ever nearer ones.
// It has ended when the eight nearest that answer at all have answered. Who
// makes a lookup says what is asked, and when.
type lookup struct {
	target krpc.ID
	search *search // whose peers are looked for; nil: only nodes are
	// contacts are addresses of nodes whose ids are not known yet. They are asked
	// before all others.
	contacts []netip.AddrPort
	meeting  int                         // contacts of which an answer is waited for, late ones too
	nodes    []candidate                 // nearest first
	asking   int                         // queries under way that are not late
	peers    map[netip.AddrPort]struct{} // that were told; nil: none yet
	ended    bool
}

// candidate is a node that others have told, or that we know.
type candidate struct {
	krpc.Node
	state state
	token []byte // for an announce; nil: it has given none
}

// state is how far a lookup has come with a node.
type state uint8

const (
	fresh state = iota // not asked yet
	asked              // a query is under way
	late               // it has not answered soon; it may still
	answered
	failed
)

// add enters a node, unless the lookup has one of the same subnet already: who
// has many addresses in one subnet is not to crowd out the others.
func (l *lookup) add(node krpc.Node) {
	if l.ended {
		return
	}
	net := subnetOf(node.Addr)
	for i := range l.nodes {
		if subnetOf(l.nodes[i].Addr) == net {
			return
		}
	}
	at, _ := slices.BinarySearchFunc(l.nodes, node, func(c candidate, node krpc.Node) int {
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
	if len(l.nodes) == lookupNodes {
		if s := l.nodes[lookupNodes-1].state; s == asked || s == late {
			return // what is under way is not forgotten
		}
		l.nodes = l.nodes[:lookupNodes-1]
	}
	l.nodes = slices.Insert(l.nodes, at, candidate{Node: node})
}

// next returns the node to be asked next, and false if none is to be asked now.
// The lookup ends when none is under way either. Nodes that failed or are late
// are not among the eight that count.
func (l *lookup) next() (krpc.Node, bool) {
	if len(l.contacts) > 0 {
		return krpc.Node{Addr: l.contacts[0]}, l.asking < alpha
	}
	counted, waits := 0, false
	for i := range l.nodes {
		switch c := &l.nodes[i]; c.state {
		case failed, late:
			continue
		case fresh:
			if l.asking < alpha {
				return c.Node, true
			}
			waits = true
		case asked:
			waits = true
		}
		if counted++; counted == bucketSize {
			break
		}
	}
	// Late ones are waited for while there are too few others.
	l.ended = !waits && (counted == bucketSize || l.meeting == 0 && !l.has(late))
	return krpc.Node{}, false
}

func (l *lookup) has(s state) bool {
	return slices.ContainsFunc(l.nodes, func(c candidate) bool { return c.state == s })
}

func (l *lookup) find(node krpc.Node) *candidate {
	for i := range l.nodes {
		if l.nodes[i].Node == node {
			return &l.nodes[i]
		}
	}
	return nil
}

// ask enters that the node of next has been asked.
func (l *lookup) ask(node krpc.Node) {
	l.asking++
	if node.ID == (krpc.ID{}) {
		l.contacts = l.contacts[1:]
		l.meeting++
	} else if c := l.find(node); c != nil {
		c.state = asked
	}
}

// tardy enters that a node has not answered soon: another may be asked.
func (l *lookup) tardy(node krpc.Node) {
	l.asking--
	if c := l.find(node); c != nil {
		c.state = late
	}
}

// done enters that a query is over that was late, or was not.
func (l *lookup) done(to krpc.Node, wasLate bool) {
	if !wasLate {
		l.asking--
	}
	if to.ID == (krpc.ID{}) {
		l.meeting--
	}
}

// fail enters that a node does not answer, or is not what it was said to be.
func (l *lookup) fail(to krpc.Node, wasLate bool) {
	l.done(to, wasLate)
	if c := l.find(to); c != nil {
		c.state = failed
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
	c.state, c.token = answered, slices.Clone(token)
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

// nearest returns the nodes that have answered, nearest first, at most eight.
func (l *lookup) nearest() (list []candidate) {
	for _, c := range l.nodes {
		if c.state == answered && len(list) < bucketSize {
			list = append(list, c)
		}
	}
	return list
}
