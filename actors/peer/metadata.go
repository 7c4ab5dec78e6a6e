package peer

import (
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/extended"
)

// Metadata (BEP 9) is the info dictionary, which travels in parts. While we
// lack it, the actor metadata says what is asked for. Later we serve it.

const (
	// servedAhead is how often a peer is served the whole metadata at once: a
	// second time, if it was spoilt on the way to that peer's client.
	servedAhead = 2
	// servedRate is how many parts a second a peer is served beyond that.
	servedRate = 1
)

// metadata is the exchange of metadata on one connection.
type metadata struct {
	size  int   // as the other side offers it; 0: it offers none
	told  bool  // the actor metadata knows of the offer
	asked []int // parts that have not been answered

	allowance float64   // parts that are served yet
	at        time.Time // when that was so; the zero time: nothing was served
}

// servesMetadata tells whether the other side may have the metadata of us.
func (s *session) servesMetadata() bool {
	return s.torrent != nil && s.extension.publicity.Metadata
}

// metadataOffered notes an offer of the other side.
func (s *session) metadataOffered(size int) {
	if s.torrent == nil && size > 0 && s.extension.takes.Takes(extended.Metadata) {
		s.extension.metadata.size = size
		s.out.news, s.out.offered = true, true
	}
}

// takeMetadata takes a message about metadata.
func (s *session) takeMetadata(payload []byte, now time.Time) error {
	m, err := extended.ParseMetadata(payload)
	if err != nil {
		return s.flood.charge(costUseless, now)
	}
	switch m.Type {
	case extended.MetadataRequest:
		return s.serveMetadata(m.Part, now)
	case extended.MetadataData, extended.MetadataReject:
		x := &s.extension.metadata
		i := slices.Index(x.asked, m.Part)
		if i < 0 {
			return s.flood.charge(costUseless+len(m.Data)/repeatUnit, now)
		}
		x.asked = slices.Delete(x.asked, i, i+1)
		s.out.news, s.out.parts = true, append(s.out.parts, m)
		return nil
	}
	return s.flood.charge(costUseless, now) // of a type that is to be ignored
}

// serveMetadata answers the request for a part: with the part, if there is such
// a one, the other side may have it, and has not asked for much of late.
func (s *session) serveMetadata(part int, now time.Time) error {
	if !s.extension.takes.Takes(extended.Metadata) {
		return s.flood.charge(costUseless, now)
	}
	if !s.servesMetadata() || !s.servesPart(part, now) {
		m := extended.MetadataMessage{Type: extended.MetadataReject, Part: part}
		s.extend(extended.Metadata, m.Append(nil), nil)
		return s.flood.charge(costRejected, now)
	}
	info := s.torrent.Info()
	m := extended.MetadataMessage{Type: extended.MetadataData, Part: part, Total: len(info)}
	from := part * extended.PartSize
	s.extend(extended.Metadata, m.Append(nil), info[from:min(from+extended.PartSize, len(info))])
	return s.flood.charge(costUseless, now)
}

// servesPart takes one from the parts that may be served yet, if there is one.
func (s *session) servesPart(part int, now time.Time) bool {
	x, parts := &s.extension.metadata, metadataParts(len(s.torrent.Info()))
	if part >= parts {
		return false
	}
	most := float64(servedAhead * parts)
	if x.at.IsZero() {
		x.allowance = most
	} else {
		x.allowance = min(most, x.allowance+now.Sub(x.at).Seconds()*servedRate)
	}
	x.at = now
	if x.allowance < 1 {
		return false
	}
	x.allowance--
	return true
}

func metadataParts(size int) int { return (size + extended.PartSize - 1) / extended.PartSize }

// requestMetadata asks the other side for a part.
func (k *connection) requestMetadata(m *messages.RequestMetadata) {
	s := k.session
	if s == nil || !s.extension.takes.Takes(extended.Metadata) {
		k.out.Send(k.to.Metadata, &messages.MetadataRejected{Key: k.Key, Part: m.Part})
		return
	}
	x := &s.extension.metadata
	x.asked = append(x.asked, m.Part)
	s.extend(extended.Metadata, extended.MetadataMessage{Type: extended.MetadataRequest, Part: m.Part}.Append(nil), nil)
	k.flush()
}

// offerMetadata tells the actor metadata what the other side offers.
func (k *connection) offerMetadata() {
	s := k.session
	if s == nil || s.torrent != nil || s.extension.metadata.size == 0 {
		return
	}
	x := &s.extension.metadata
	x.told = true
	k.out.Send(k.to.Metadata, &messages.MetadataOffered{Key: k.Key, Peer: k.to.self, Size: x.size})
}

// tellMetadata tells the actor metadata what has come.
func (k *connection) tellMetadata() {
	out := &k.session.out
	if out.offered {
		k.offerMetadata()
	}
	for _, m := range out.parts {
		if m.Type == extended.MetadataData {
			k.out.Send(k.to.Metadata, &messages.MetadataArrived{Key: k.Key, Part: m.Part, Total: m.Total, Data: m.Data})
		} else {
			k.out.Send(k.to.Metadata, &messages.MetadataRejected{Key: k.Key, Part: m.Part})
		}
	}
}

// metadataGone tells the actor metadata that the other side is gone.
func (k *connection) metadataGone() {
	if s := k.session; s != nil && s.torrent == nil && s.extension.metadata.told {
		k.out.Send(k.to.Metadata, &messages.MetadataPeerGone{Key: k.Key})
	}
}
