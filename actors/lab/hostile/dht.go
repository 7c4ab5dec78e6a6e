package hostile

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"time"

	"kouzui/wire/krpc"
)

// DHTNode is a host in the DHT (BEP 5) that means harm. It has one id for each
// of its sockets.
type DHTNode struct {
	Target  krpc.ID // the info hash that it attacks
	IDs     []krpc.ID
	Friends []krpc.Node      // all that mean the same harm, at each of their sockets
	Victims []netip.AddrPort // nodes that mean none
	Rand    *rand.Rand

	acts int    // so far
	loot []loot // oldest first

	// Send sends from one of its sockets.
	Send func(socket int, to netip.AddrPort, m *krpc.Message)
	// Forge sends as if from another address.
	Forge func(from, to netip.AddrPort, m *krpc.Message)
}

// loot is a token that a node has given to us.
type loot struct {
	of    netip.AddrPort
	token []byte
	at    int // acts
}

// DHTScript is one way in which a node of the DHT does harm.
type DHTScript struct {
	Name    string
	Sockets int  // of a node
	Near    bool // its ids are near to the target, nearer than any honest one is by chance
	// Answer answers a query; nil: with no reply.
	Answer func(n *DHTNode, q *krpc.Message) *krpc.Message
	// Act is called every DHTPace.
	Act func(*DHTNode)
	// Heard is called with a reply; nil: none matters.
	Heard func(n *DHTNode, from netip.AddrPort, r *krpc.Message)
}

// DHTPace is how often a node acts.
const DHTPace = time.Second

// DHTScripts are all of them.
var DHTScripts = []DHTScript{
	{"dht eclipse", 1, true, (*DHTNode).hide, (*DHTNode).introduce, nil},
	{"dht many ids", 64, true, (*DHTNode).hide, (*DHTNode).introduce, nil},
	{"dht liar", 1, false, (*DHTNode).lie, (*DHTNode).introduce, nil},
	{"dht near liar", 1, true, (*DHTNode).lie, (*DHTNode).introduce, nil},
	{"dht flood", 1, false, (*DHTNode).hide, (*DHTNode).flood, nil},
	{"dht forger", 1, false, (*DHTNode).hide, (*DHTNode).forge, nil},
	{"dht thief", 1, false, (*DHTNode).hide, (*DHTNode).cheat, (*DHTNode).keep},
}

const (
	// introductions is to how many nodes a node makes itself known at a time.
	introductions = 10
	// floodQueries is how many queries a flood has at a time, to floodVictims.
	floodQueries, floodVictims = 200, 4
	// forgeries is to how many nodes is lied at a time about who has sent what.
	forgeries = 20
	// tokenAge is how many acts a token is kept until it is used: it is good for
	// ten minutes (BEP 5).
	tokenAge = 605
	// likeTarget is how many bytes an id near to the target shares with it.
	likeTarget = 17
	// namedNodes is how many nodes a reply names (BEP 5).
	namedNodes = 8
)

// DHTID draws an id of a script.
func (s *DHTScript) DHTID(target krpc.ID, r *rand.Rand) (id krpc.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	if s.Near {
		copy(id[:likeTarget], target[:])
	}
	return id
}

// hide leads whoever asks to friends, who know no peer.
func (n *DHTNode) hide(q *krpc.Message) *krpc.Message {
	r := &krpc.Message{Token: []byte("none")}
	if q.Method == krpc.FindNode || q.Method == krpc.GetPeers {
		for range min(namedNodes, len(n.Friends)) {
			r.Nodes = append(r.Nodes, n.Friends[n.Rand.IntN(len(n.Friends))])
		}
	}
	return r
}

// lie names peers that there are not.
func (n *DHTNode) lie(q *krpc.Message) *krpc.Message {
	r := n.hide(q)
	if q.Method == krpc.GetPeers {
		for range 50 {
			r.Values = append(r.Values, n.invented())
		}
	}
	return r
}

// invented is an address at which nobody is.
func (n *DHTNode) invented() netip.AddrPort {
	x := n.Rand.Uint32()
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{150, byte(x >> 16), byte(x >> 8), byte(x)}), 6881)
}

func (n *DHTNode) victim() netip.AddrPort { return n.Victims[n.Rand.IntN(len(n.Victims))] }

func (n *DHTNode) query(id krpc.ID, method string) *krpc.Message {
	return &krpc.Message{Kind: krpc.Query, Transaction: []byte{byte(n.Rand.Uint32()), byte(n.Rand.Uint32())}, ID: id, Method: method, Target: n.Target}
}

// introduce makes itself known: who is asked remembers who has asked.
func (n *DHTNode) introduce() {
	for range introductions {
		socket := n.Rand.IntN(len(n.IDs))
		n.Send(socket, n.victim(), n.query(n.IDs[socket], krpc.GetPeers))
	}
}

func (n *DHTNode) flood() {
	for range floodQueries {
		n.Send(0, n.Victims[n.Rand.IntN(min(floodVictims, len(n.Victims)))], n.query(n.IDs[0], krpc.GetPeers))
	}
}

// forge has others seem to announce, to ask and to answer.
func (n *DHTNode) forge() {
	near := DHTScript{Near: true}
	for range forgeries {
		announce := n.query(near.DHTID(n.Target, n.Rand), krpc.AnnouncePeer)
		announce.Port, announce.Token = 6881, []byte{1, 2, 3, 4, 5, 6, 7, 8}
		n.Forge(n.invented(), n.victim(), announce)
		n.Forge(n.invented(), n.victim(), n.query(near.DHTID(n.Target, n.Rand), krpc.FindNode))
		reply := n.lie(&krpc.Message{Method: krpc.GetPeers})
		reply.Kind, reply.ID = krpc.Reply, near.DHTID(n.Target, n.Rand)
		reply.Transaction = []byte{byte(n.Rand.Uint32()), byte(n.Rand.Uint32()), byte(n.Rand.Uint32()), byte(n.Rand.Uint32())}
		n.Forge(n.victim(), n.victim(), reply)
	}
}

// keep keeps the token of a reply, to be misused.
func (n *DHTNode) keep(from netip.AddrPort, r *krpc.Message) {
	if r.Token != nil {
		n.loot = append(n.loot, loot{from, bytes.Clone(r.Token), n.acts})
	}
}

// cheat announces peers with tokens that were given to somebody else, and
// itself with tokens that are too old.
func (n *DHTNode) cheat() {
	announce := func(l loot) *krpc.Message {
		q := n.query(n.IDs[0], krpc.AnnouncePeer)
		q.Port, q.Token = 6881, l.token
		return q
	}
	for i := len(n.loot) - 1; i >= 0 && n.loot[i].at == n.acts; i-- {
		n.Forge(n.invented(), n.loot[i].of, announce(n.loot[i]))
	}
	for len(n.loot) > 0 && n.acts-n.loot[0].at > tokenAge {
		n.Send(0, n.loot[0].of, announce(n.loot[0]))
		n.loot = n.loot[1:]
	}
	n.acts++
	n.introduce()
}
