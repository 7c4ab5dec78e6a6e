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

// Listen: session to listener. The listener binds its socket: as it was bound
// Before in this run, if it was, because that is where others know us. One that
// is bound already stays so. Either way it answers ListenerReady or
// ListenerFailed.
type Listen struct{ Before netip.AddrPort }

// ListenerReady: listener to session and on to subscribers, each time it is bound,
// and in answer to Listen. The session sends all its routes again: a listener that
// was restarted has none. Then RefuseUnrouted.
type ListenerReady struct{ Addr netip.AddrPort }

// RefuseUnrouted: session to listener, after all routes. Until then the listener
// holds handshakes for torrents that have no route; from now on it closes them.
type RefuseUnrouted struct{}

// ListenerFailed: listener to session and on to subscribers, each time it cannot bind, or has lost its
// socket: downloads go on without it, and it tries again, unless its address
// cannot be understood.
type ListenerFailed struct{ Err error }

// AdoptLink: listener to torrent, by engine to peers, and from there to a new
// peer. Whoever holds it last owns the link and has to close it when it does
// not pass it on.
type AdoptLink struct {
	Link      Link
	Handshake frame.Handshake
}

// BanAddress: scheduler to peers: no connection with this peer any more, for the
// reason given. The ban holds for its address, and for its peer id
// behind its host: of those that came in, the host's other peers are not to
// blame.
type BanAddress struct {
	Addr    netip.AddrPort
	Inbound bool // Addr has no port to be dialled
	ID      [20]byte
	Reason  string
}

// PeerBanned: scheduler to torrent, beside BanAddress.
type PeerBanned struct {
	Addr   netip.AddrPort
	Reason string
}

// AddressesBlocked: peers and listener to session, and on to subscribers: these
// many addresses that stand on the user's blocklist were not taken for
// candidates, or connections from there were closed as they came.
type AddressesBlocked struct {
	Inbound bool
	Count   int
}

// QueryCandidates: peers to torrent, each time it has started. The torrent
// answers with AddCandidates, all addresses that it knows, and with SetLimits if
// the rates have changed since the start.
type QueryCandidates struct{}

// PeersConnected: peers to torrent, while the metainfo is not known, each time that
// the number of connections which wait for it has changed. The torrent reports it
// with its Progress.
type PeersConnected struct{ Peers int }

// AddCandidates: torrent, by engine, to peers: addresses worth a try, of a
// PeersFound or in answer to QueryCandidates.
type AddCandidates struct{ Addrs []PeerAddr }

// CloseConnections: torrent, by engine, to peers, when the torrent ends: all connections
// end, each with a last PeerRates to the scheduler, and no other is made. When
// nobody is left peers passes it on to the scheduler.
type CloseConnections struct{ ReplyTo *actor.PID }

// ConnectionsClosed: scheduler to the sender of CloseConnections: Last counts all that moved.
type ConnectionsClosed struct{ Last Progress }

// SetDialing: scheduler to peers, when it changes, and every second for peers
// that was restarted. A torrent whose store does not know yet what is on disk does
// not dial. A complete torrent does: some peers cannot reach it.
type SetDialing struct{ Dial bool }

// EvictIdlePeer: peers to scheduler, once a second while somebody was turned away,
// or could be dialled, but for the limit of connections. The scheduler
// disconnects a peer that has been of no use for long, if there is one.
// The session sends it too, by torrent and engine, after ConnectionsExhausted.
type EvictIdlePeer struct{}

// ConnectionsExhausted: peers and listener to session, once a second while
// somebody was turned away, or could be dialled, but for the limit of connections
// of the whole process. The session has one torrent after the other EvictIdlePeer.
type ConnectionsExhausted struct{}

// PeerUseful: a peer to peers, once for each connection, when payload has come
// or gone.
type PeerUseful struct{ Key PeerKey }

// ProveAlive: peers to peer, when the same peer seems to have come in again: the
// peer ends if it has heard nothing lately.
type ProveAlive struct{}
