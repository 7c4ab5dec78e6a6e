package messages

import "net/netip"

// What others say of our address (BEP 10, 24, 42), and what we make of that.

// AddressReported: dht and peers to session: a node or a peer has told at which
// address it sees us: some of what nodes tell, and the first word of each
// connection. Session counts it as a vote, as that of a tracker (BEP 24), which
// comes with TorrentAnnounced.
type AddressReported struct {
	Voter netip.AddrPort
	Addr  netip.Addr
}

// SetOurAddress: session to dht of the family and to all torrents, and from
// torrent to engine and on to peers, when most who have told see us at another
// address than before, and when they start: nodes take an id that fits the
// address (BEP 42), peers order by it whom to dial (BEP 40).
type SetOurAddress struct{ Addr netip.Addr }
