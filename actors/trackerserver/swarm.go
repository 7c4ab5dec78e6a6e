package trackerserver

import (
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// swarm is the peers of one torrent. The table keeps no empty swarm.
type swarm struct {
	torrent   metainfo.Hash
	peers     []*entry[peer]
	index     map[key]*entry[peer]
	seeders   int
	completed int // peers that announced `completed`
}

// key tells peers apart. The address is a part of it, so that nobody replaces
// another peer by announcing its id; a peer with two addresses is listed twice.
type key struct {
	id   [20]byte
	addr [16]byte
}

type peer struct {
	key
	port  uint16
	seed  bool
	at    int32 // in the swarm's peers
	swarm *entry[swarm]
}

func (s *swarm) list(p *entry[peer]) {
	p.item.at = int32(len(s.peers))
	s.peers = append(s.peers, p)
	s.index[p.item.key] = p
}

func (s *swarm) unlist(p *entry[peer]) {
	s.setSeed(p, false)
	last := len(s.peers) - 1
	s.swap(int(p.item.at), last)
	s.peers[last] = nil
	s.peers = s.peers[:last]
	delete(s.index, p.item.key)
}

func (s *swarm) setSeed(p *entry[peer], seed bool) {
	if p.item.seed != seed {
		p.item.seed = seed
		if seed {
			s.seeders++
		} else {
			s.seeders--
		}
	}
}

func (s *swarm) swap(i, j int) {
	s.peers[i], s.peers[j] = s.peers[j], s.peers[i]
	s.peers[i].item.at, s.peers[j].item.at = int32(i), int32(j)
}

// of counts the peers of a host in this swarm, and finds the oldest of them. It
// reads the shorter of two lists, that of the host and that of the swarm.
func (s *swarm) of(h *holder[peer]) (n int, oldest *entry[peer]) {
	if int(h.count) <= len(s.peers) {
		for p := h.newest; p != nil; p = p.older {
			if &p.item.swarm.item == s {
				n, oldest = n+1, p
			}
		}
		return n, oldest
	}
	for _, p := range s.peers {
		if p.holder != h {
			continue
		}
		if n++; oldest == nil || p.stamp < oldest.stamp {
			oldest = p
		}
	}
	return n, oldest
}

func (s *swarm) stats() announce.Stats {
	return announce.Stats{Seeders: s.seeders, Leechers: len(s.peers) - s.seeders, Completed: s.completed}
}
