package load

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/magnet"
)

// linkTimeout is how long the names of the peers of a magnet link are looked
// up: a stranger has written them.
const linkTimeout = 5 * time.Second

// Reachable is a magnet link with addresses in place of the names of its peers,
// and how many of these will be connected to; nil: there is no link. The others
// stay in the link: they say whether its swarm is one of this machine alone.
func Reachable(ctx context.Context, source *real.Source, link *magnet.Link, allowPrivate bool, warn func(string)) (*magnet.Link, int) {
	if link == nil {
		return nil, 0
	}
	count := 0
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	found := *link
	found.Peers = nil
	for _, peer := range link.Peers {
		if _, err := netip.ParseAddr(peer.Host); err != nil && source.Proxied() {
			warn(fmt.Sprintf("the peer %s of the link is left out: with --proxy, no name is looked up", peer))
			found.Peers = append(found.Peers, peer)
			continue
		}
		ips, err := source.Resolver().LookupNetIP(ctx, "ip", peer.Host)
		if err != nil {
			warn(fmt.Sprintf("the peer %s of the link is left out: %s", peer, exit.Words(err)))
			found.Peers = append(found.Peers, peer)
		}
		left := false
		for _, ip := range ips {
			found.Peers = append(found.Peers, magnet.Peer{Host: ip.Unmap().String(), Port: peer.Port})
			if allowPrivate || real.IsPublic(ip) {
				count++
			} else if !left {
				left = true
				warn(fmt.Sprintf("the peer %s of the link is inside this machine or network and left out; --allow-private or --peer permits it", peer))
			}
		}
	}
	return &found, count
}
