package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/messages"
)

const (
	maxCells = 256 // of Progress.Map
	topPeers = 5   // of Progress.Top
	// maxRateAge is how long a rate counts after a peer reported it: one whose
	// bytes stop moving reports no more.
	maxRateAge = 5 * time.Second
	// standstill is for how long nothing comes before Progress says why.
	standstill = 3 * time.Second
	// indifferentFor is for how long a peer must have shown no interest, moved no
	// payload and been told of no piece, to be taken for one that needs nothing. A
	// peer shows its interest within a round trip.
	indifferentFor = 3 * time.Second
)

// reported is what the last Progress said, and when it was due.
type reported struct {
	state messages.State
	at    time.Time
}

// report sends Progress.
func (s *swarm) report() {
	m := s.progress()
	s.reported.state = m.State
	s.out.Send(s.refs.Torrent, m)
}

// reportEvery sends Progress when a period has begun since the last time.
func (s *swarm) reportEvery(period time.Duration) {
	// Not by Truncate alone: it takes the monotonic reading away, and then it is
	// the date that counts, which may jump.
	begun := s.now.Add(s.now.Truncate(period).Sub(s.now))
	if !begun.After(s.reported.at) {
		return
	}
	s.reported.at = begun
	s.report()
	s.tellComplete() // again: a choker or peers that was restarted does not know
}

// state is the torrent's for display.
func (s *swarm) state() messages.State {
	switch {
	case !s.known && s.disk.checking.Total > 0:
		return messages.StateChecking
	case !s.known:
		return messages.StateStarting
	case s.disk.failure != nil && s.disk.failure.Full:
		return messages.StateDiskFull
	case !s.complete():
		return messages.StateDownloading
	case !s.disk.finished:
		return messages.StateFinishing
	default:
		return messages.StateSeeding
	}
}

// progress is all of Progress that the scheduler knows.
func (s *swarm) progress() *messages.Progress {
	m := &messages.Progress{
		InfoHash:   s.torrent.InfoHash,
		Name:       s.torrent.Name,
		At:         s.now,
		State:      s.state(),
		Why:        s.why(),
		Pieces:     s.pieces,
		HavePieces: s.owned,
		Wanted:     s.wantedPieces(),
		Length:     s.length,
		Have:       s.verified(),
		Left:       s.left(),
		Chosen:     s.chosen(),
		Downloaded: s.totals.downloaded,
		Uploaded:   s.totals.uploaded,
		Wasted:     s.totals.wasted + s.totals.repeated,
		Corrupt:    s.totals.corrupt,
		Peers:      len(s.peers),
		CheckDone:  s.disk.checking.Done,
		CheckTotal: s.disk.checking.Total,
		Map:        cells(s.have, s.pieces),
		Top:        s.top(),

		SuperSeeding: s.super.active,
	}
	for _, p := range s.peers {
		m.Uploaded += p.rates.UpTotal
		m.Wasted += p.rates.WastedTotal
		down, up := p.ratesNow(s.now)
		m.DownNow += down
		m.UpNow += up
		if !p.choked {
			m.Unchoked++
		}
		if p.seed(s.pieces) {
			m.Seeds++
		}
		if p.Encrypted != messages.EncryptedNothing {
			m.Encrypted++
		} else if !p.rates.Flags.UploadOnly && s.needsData(p) {
			m.PeersNeedData = true
		}
	}
	return m
}

// needsData tells whether a peer may want pieces of ours. A peer is not told of
// pieces that it has, so that two which end at the same moment never hear that
// the other is complete. Each sees that the other wants nothing. One that was
// not told of everything yet may want the rest.
func (s *swarm) needsData(p *peer) bool {
	return s.keepsFrom(p) || p.rates.Flags.PeerInterested || p.told < s.haves.end() ||
		s.now.Sub(p.useful) < indifferentFor || s.now.Sub(p.offered) < indifferentFor
}

// ratesNow is what the peer reported last, unless that is long ago.
func (p *peer) ratesNow(now time.Time) (down, up float64) {
	if now.Sub(p.rates.At) > maxRateAge {
		return 0, 0
	}
	return p.rates.DownNow, p.rates.UpNow
}

// cells shows pieces in at most maxCells cells of as many pieces each, give or
// take one. Only a cell with none is 0, only one with all is 255.
func cells(have *bitset.BitSet, pieces int) []uint8 {
	n := min(pieces, maxCells)
	m := make([]uint8, n)
	for i := range m {
		from, end := i*pieces/n, (i+1)*pieces/n
		set := int(have.OnesBetween(uint(from), uint(end)))
		m[i] = uint8((255*set + end - from - 1) / (end - from))
		if set < end-from {
			m[i] = min(m[i], 254)
		}
	}
	return m
}

// top lists the most useful peers: those that move the most, then those that
// have the most.
func (s *swarm) top() []messages.PeerInfo {
	ranked := make([]*peer, 0, topPeers+1)
	for _, p := range s.peers {
		i, _ := slices.BinarySearchFunc(ranked, p, func(a, b *peer) int {
			downA, upA := a.ratesNow(s.now)
			downB, upB := b.ratesNow(s.now)
			return cmp.Or(cmp.Compare(downB+upB, downA+upA), cmp.Compare(b.pieces, a.pieces), cmp.Compare(a.Key, b.Key))
		})
		if i < topPeers {
			ranked = slices.Insert(ranked, i, p)
			ranked = ranked[:min(len(ranked), topPeers)]
		}
	}
	infos := make([]messages.PeerInfo, 0, topPeers)
	for _, p := range ranked {
		infos = append(infos, s.info(p))
	}
	return infos
}

// infos is all peers, in no order.
func (s *swarm) infos() []messages.PeerInfo {
	infos := make([]messages.PeerInfo, len(s.peers))
	for i, p := range s.peers {
		infos[i] = s.info(p)
	}
	return infos
}

func (s *swarm) info(p *peer) messages.PeerInfo {
	down, up := p.ratesNow(s.now)
	return messages.PeerInfo{
		Key:       p.Key,
		Addr:      p.Addr,
		ID:        p.ID,
		Source:    p.Source,
		Name:      p.Name,
		Flags:     p.flags(s.pieces),
		Encrypted: p.Encrypted,
		DownNow:   down,
		UpNow:     up,
		DownTotal: p.rates.DownTotal,
		UpTotal:   p.rates.UpTotal,
		Have:      p.pieces,
		Map:       cells(p.have, s.pieces),
	}
}

// flags are those that the peer reported last, with what we know better.
func (p *peer) flags(pieces int) messages.PeerFlags {
	f := p.rates.Flags
	f.AmInterested = p.interested
	f.PeerChoking = p.choked
	f.Snubbed = p.snubbed
	f.Seed = p.seed(pieces)
	f.Inbound = p.Inbound
	return f
}

// why says in a sentence why nothing moves, and nothing while something does or
// need not.
func (s *swarm) why() string {
	switch {
	case !s.known && s.disk.checking.Total > 0:
		return fmt.Sprintf("Checking the data on the disk: %d of %d pieces.", s.disk.checking.Done, s.disk.checking.Total)
	case !s.known:
		return "Looking for data on the disk."
	case s.disk.failure != nil && s.disk.failure.Full:
		return fmt.Sprintf("The disk is full: %v.", s.disk.failure.Err)
	case s.disk.failure != nil:
		return fmt.Sprintf("The disk does not store the downloaded data: %v.", s.disk.failure.Err)
	case s.complete():
		return ""
	case s.now.Sub(s.totals.lastArrival) < standstill:
		return ""
	case len(s.peers) == 0:
		return "No peer is connected."
	}
	useful, unchoked, asked := 0, 0, 0
	for _, p := range s.peers {
		if p.wanted == 0 {
			continue
		}
		useful++
		if !p.choked {
			unchoked++
		}
		if p.queue.len() > 0 {
			asked++
		}
	}
	switch {
	case useful == 0:
		return fmt.Sprintf("The connected peers (%d) have none of the missing pieces (%d).", len(s.peers), s.missing)
	case unchoked == 0:
		return fmt.Sprintf("All peers that have missing pieces (%d) choke us.", useful)
	case asked > 0:
		return fmt.Sprintf("Waiting for blocks that were requested from peers (%d).", asked)
	default:
		return fmt.Sprintf("All data has arrived, and the last pieces (%d) are being checked.", s.missing)
	}
}
