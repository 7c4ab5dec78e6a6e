package messages

import (
	"net/netip"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/wire/frame"
)

// How connections come into being: listener, torrent, peers.

// RouteTorrent: session to listener. Connections for this info hash go to
// Torrent from now on; nil ends that. A route also ends with its torrent.
type RouteTorrent struct {
	InfoHash [20]byte
	Torrent  *actor.PID
}

// ListenerStarted: listener to session, each time it has started. The session
// answers Listen.
type ListenerStarted struct{}

// Listen: session to listener. The listener binds its socket, to the address
// Before that it had earlier in this run, if there is one: peers know us there.
// A listener that is bound already stays so. It answers ListenerReady or
// ListenerFailed.
type Listen struct{ Before netip.AddrPort }

// ListenerReady: listener to session and on to subscribers, each time it is
// bound, and in answer to Listen. The session sends all its routes again: a
// listener that was restarted has none. Then RefuseUnrouted.
type ListenerReady struct{ Addr netip.AddrPort }

// RefuseUnrouted: session to listener, after all routes. Until then the
// listener holds handshakes for torrents that have no route; from now on it
// closes them.
type RefuseUnrouted struct{}

// ListenerFailed: listener to session and on to subscribers, each time it
// cannot bind, or has lost its socket: downloads go on without it, and it tries
// again, unless its address cannot be understood.
type ListenerFailed struct{ Err error }

// AdoptLink: listener to torrent, by engine to peers, and from there to a new
// peer. Each receiver owns the link, and closes it unless it passes the message
// on.
type AdoptLink struct {
	Link      Link
	Handshake frame.Handshake
}

// BanAddress: scheduler to peers, which disconnects this peer, and neither
// dials it nor lets it in again. The ban holds for the address, unless the peer
// came in, and for the peer id at this host: other peers of the host are not to
// blame.
type BanAddress struct {
	Addr    netip.AddrPort
	Inbound bool // the peer came in: the port of Addr cannot be dialled
	ID      [20]byte
	Reason  string
}

// PeerBanned: scheduler to torrent, sent together with each BanAddress. The
// torrent tells the user.
type PeerBanned struct {
	Addr   netip.AddrPort
	Reason string
}

// AddressesBlocked: peers and listener to session, and on to subscribers, what
// the user's blocklist has kept away. Count is how many addresses were not made
// candidates or, if Inbound, how many connections were closed.
type AddressesBlocked struct {
	Inbound bool
	Count   int
}

// QueryCandidates: peers to torrent, each time it has started. The torrent
// answers with SetPublicity, with AddCandidates, which has all addresses that
// it knows, and with SetLimits if the rates have changed since the start.
type QueryCandidates struct{}

// PeersConnected: peers to torrent, while the metainfo is not known, each time
// that the number of connections waiting for the metainfo has changed. The
// torrent reports the number in its Progress.
type PeersConnected struct{ Peers int }

// SourcesCounted: peers to torrent, after SetDialing, when the counts differ
// from those that peers has told before. The torrent reports them in its
// Progress, and says by them why nobody is connected.
type SourcesCounted struct{ Sources []SourceCount }

// AddCandidates: torrent, by engine, to peers: addresses to be dialled, from a
// PeersFound or in answer to QueryCandidates.
type AddCandidates struct{ Addrs []PeerAddr }

// ForgetPeers: torrent, by engine, to peers, when another tracker has taken
// over for a private torrent: peers ends the connections with all peers but
// those that the user has given, and forgets their addresses.
type ForgetPeers struct{}

// CloseConnections: torrent, by engine, to peers, when the torrent ends. All
// connections are closed, each with a last PeerRates to the scheduler, and no
// others are made. When none is left, peers passes the message on to the
// scheduler.
type CloseConnections struct{ ReplyTo *actor.PID }

// ConnectionsClosed: scheduler to the sender of CloseConnections. Last counts
// all payload of the run, that of the last PeerRates included.
type ConnectionsClosed struct{ Last Progress }

// SetDialing: scheduler to peers, when Dial changes, and every second, as peers
// may have been restarted. While the metainfo is not known, the torrent sends
// it, by engine, as often. A torrent whose store does not know yet what is on
// disk does not dial. A complete torrent does: some peers cannot reach it.
type SetDialing struct{ Dial bool }

// EvictIdlePeer: peers to scheduler, once a second while the torrent's limit of
// connections keeps a peer from being let in or dialled. The scheduler
// disconnects the peer over whose connection no payload has moved for longest,
// if that is long enough. The session sends it too, by torrent and engine,
// after ConnectionsExhausted.
type EvictIdlePeer struct{}

// ConnectionsExhausted: peers and listener to session, once a second while the
// limit of connections of the whole process keeps a peer from being let in or
// dialled. The session sends EvictIdlePeer to one torrent each time, in turn.
type ConnectionsExhausted struct{}

// PeerUseful: a peer to peers, once for each connection, when payload has moved
// in either direction.
type PeerUseful struct{ Key PeerKey }

// ProveAlive: peers to a peer, when another connection has come in from the
// same host with the same peer id. The peer ends its connection if it has
// received nothing lately.
type ProveAlive struct{}
