package peer

import (
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
)

// Peers that have a node of the DHT tell each other its port (BEP 5).

// handshake is ours. It offers the DHT only if the other side may know that
// there is one.
func (k *connection) handshake() frame.Handshake {
	h := frame.Ours(k.InfoHash, k.Self)
	if k.publicity.DHT && k.to.DHT[messages.Family(k.remote.Addr())] != nil {
		k.offersDHT = true
		h.Offer(frame.FeatureDHT)
	}
	return h
}

// tellPort tells the other side the port of our node, which is that of TCP.
func (k *connection) tellPort() {
	if k.offersDHT && k.hasNode && k.publicity.DHT && k.Port != 0 && !k.session.portTold {
		k.session.portTold = true
		k.session.frame(frame.Frame{Kind: frame.Port, Index: uint32(k.Port)})
	}
}

// takePort takes the port of the other side's node, the first that it tells.
func (s *session) takePort(f *frame.Frame, now time.Time) error {
	if s.nodePort == 0 && f.Index <= 0xffff {
		s.nodePort = uint16(f.Index)
		s.out.news = true
	}
	return s.flood.charge(costUseless, now)
}

// addNode tells the DHT of the other side's node, once.
func (k *connection) addNode() {
	s := k.session
	if s.nodePort == 0 || s.nodeAdded || !k.publicity.DHT {
		return
	}
	s.nodeAdded = true
	remote := k.remote.Addr().Unmap()
	if dht := k.to.DHT[messages.Family(remote)]; dht != nil {
		k.out.Send(dht, &messages.AddNode{Addr: netip.AddrPortFrom(remote, s.nodePort)})
	}
}
