package kouzui

import (
	"context"
	"errors"
	"net/netip"

	"kouzui/messages"
)

// Address families, of each of which there is one DHT (BEP 32).
const (
	IPv4 = messages.IPv4
	IPv6 = messages.IPv6
)

// DHTStatus is how the DHT of an address family stands, DHTPeers what a lookup
// has found there, DHTNode what one node has answered.
type (
	DHTStatus = messages.DHTStatus
	DHTPeers  = messages.DHTPeers
	DHTNode   = messages.DHTNode
)

// HasDHT tells whether the client has a DHT of the address family.
func (c *Client) HasDHT(family int) bool {
	return c != nil && c.engine != nil && (family == IPv4 || family == IPv6) && c.engine.HasDHT(family)
}

// DHTStatus tells how the DHT of an address family stands.
func (c *Client) DHTStatus(ctx context.Context, family int) (DHTStatus, error) {
	return askDHT(ctx, c, family, func(reply func(DHTStatus)) any { return &messages.QueryDHT{Family: family, Reply: reply} })
}

// DHTPeers looks once for peers of a torrent in the DHT of an address family.
// Nothing is announced, and nobody is connected to. It waits until nodes are
// known.
func (c *Client) DHTPeers(ctx context.Context, family int, hash Hash) (DHTPeers, error) {
	return askDHT(ctx, c, family, func(reply func(DHTPeers)) any {
		return &messages.QueryDHTPeers{Family: family, InfoHash: hash, Reply: reply}
	})
}

// PingDHT asks the node of the DHT at addr whether it is there. That it does
// not answer is no error but DHTNode.Failure.
func (c *Client) PingDHT(ctx context.Context, addr netip.AddrPort) (DHTNode, error) {
	return askDHT(ctx, c, messages.Family(addr.Addr()), func(reply func(DHTNode)) any {
		return &messages.QueryDHTNode{Addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), Reply: reply}
	})
}

// askDHT asks until it is answered: the DHT may be restarted meanwhile.
func askDHT[T any](ctx context.Context, c *Client, family int, question func(reply func(T)) any) (answer T, err error) {
	switch {
	case c == nil || c.engine == nil:
		return answer, ErrClosed
	case !c.HasDHT(family):
		return answer, ErrNoDHT
	}
	if answer, err = askUntil(ctx, c, c.done, question); errors.Is(err, ErrEnded) {
		err = ErrClosed
	}
	return answer, err
}
