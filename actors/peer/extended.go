package peer

import (
	"net/netip"
	"time"

	"kouzui/messages"
	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

// extension is what is known of the extension protocol (BEP 10) on a
// connection. Each message has a file of its own.
type extension struct {
	spoken    bool               // both sides offer it
	usual     extended.Handshake // ours, without what may change
	said      extended.Handshake // the last of ours
	takes     extended.Numbers   // of the other side
	publicity messages.SetPublicity
	met       bool       // an extended handshake of the other side has come
	yourIP    netip.Addr // ours, as the other side sees it; the zero value: it has not said
	port      uint16     // at which the other side can be dialled; 0: it has not said
	heard     time.Time  // when a message about peers was last taken
	metadata  metadata
	// uploadOnly: we have all pieces that we want (BEP 21).
	uploadOnly bool
}

// introduce sends our extended handshake, unless the last one says the same.
func (s *session) introduce() {
	e := &s.extension
	if !e.spoken {
		return
	}
	h := e.usual
	h.Offers = s.offered()
	for k := range h.Offers {
		if kind := extended.Kind(k); !h.Offers[k].Said && e.said.Offers[k].Said {
			h.Offers.Withdraw(kind)
		}
	}
	if s.servesMetadata() {
		h.MetadataSize = len(s.torrent.Info())
	}
	h.UploadOnly = e.uploadOnlyClaim()
	if h == e.said {
		return
	}
	e.said = h
	s.frame(frame.Frame{Kind: frame.Extended, Index: extended.HandshakeID, Bits: h.Append(nil)})
}

// offered are the messages that we take now.
func (s *session) offered() extended.Offers {
	takes := []extended.Kind{extended.UploadOnly}
	if s.torrent != nil {
		takes = append(takes, extended.DontHave)
	}
	if s.torrent == nil || s.servesMetadata() {
		takes = append(takes, extended.Metadata)
	}
	if s.extension.publicity.Exchange {
		takes = append(takes, extended.Exchange)
	}
	return extended.Ours(takes...)
}

// extended takes a message of the extension protocol. One that we do not know,
// or that cannot be read, is of no use.
func (s *session) extended(f *frame.Frame, now time.Time) error {
	switch extended.Kind(f.Index) {
	case extended.HandshakeID:
		return s.introduced(f.Bits, now)
	case extended.Exchange:
		return s.takeExchange(f.Bits, now)
	case extended.Metadata:
		return s.takeMetadata(f.Bits, now)
	case extended.DontHave:
		return s.takeDontHave(f.Bits, now)
	case extended.UploadOnly:
		return s.takeUploadOnly(f.Bits, now)
	}
	return s.flood.charge(costUseless, now)
}

// introduced takes an extended handshake of the other side. One that cannot be
// read is ignored.
func (s *session) introduced(payload []byte, now time.Time) error {
	if h, err := extended.ParseHandshake(payload); err == nil {
		e := &s.extension
		e.met = true
		e.takes.Apply(h.Offers)
		if h.Port != 0 {
			e.port = h.Port
		}
		if h.YourIP.IsValid() {
			e.yourIP = h.YourIP
		}
		if h.Requests > 0 {
			s.window.allow(h.Requests)
		}
		s.metadataOffered(h.MetadataSize)
		if h.UploadOnly != extended.Unsaid {
			s.claimsUploadOnly(h.UploadOnly == extended.Claimed)
		}
		s.out.news, s.out.introduced = true, true
	}
	return s.flood.charge(costChange, now)
}

// introducedAgain has peers told of a change, once the other side has told of
// itself.
func (s *session) introducedAgain() {
	if s.extension.met {
		s.out.news, s.out.introduced = true, true
	}
}

// extend sends a message that the other side takes. Tail is shared, and may be
// nil.
func (s *session) extend(k extended.Kind, payload, tail []byte) {
	number := s.extension.takes[k]
	s.out.frames = append(s.out.frames, messages.Outgoing{
		Frame: frame.Frame{Kind: frame.Extended, Index: uint32(number), Bits: payload}, Tail: tail,
	})
}

// tellNews tells other actors what extended messages have brought.
func (k *connection) tellNews() {
	s := k.session
	out, e := &s.out, &s.extension
	if out.introduced {
		k.out.Send(k.to.Peers, &messages.PeerIntroduced{
			Key: k.Key, Port: e.port, YourIP: e.yourIP, Exchange: e.publicity.Exchange && e.takes.Takes(extended.Exchange), Seed: s.flags.Seed || s.flags.UploadOnly,
		})
	}
	if len(out.heard) > 0 {
		k.out.Send(k.to.Peers, &messages.PeersHeard{Key: k.Key, Added: out.heard})
	}
	k.tellMetadata()
	k.addNode()
}

// setPublicity takes what strangers may be told of the torrent.
func (k *connection) setPublicity(m *messages.SetPublicity) {
	k.publicity = *m
	if k.session != nil {
		s := k.session
		s.extension.publicity = *m
		s.introduce()
		s.introducedAgain()
		k.flush()
	}
}
