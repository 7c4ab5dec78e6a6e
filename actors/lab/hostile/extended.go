package hostile

import (
	"bytes"
	"math"
	"net/netip"

	"kouzui/wire/extended"
	"kouzui/wire/frame"
)

// extendedScripts do harm with messages of the extension protocol (BEP 10).
var extendedScripts = []Script{
	floodExtended("handshakes that lie of the size of the metadata",
		greeting(extended.Handshake{Offers: ours, MetadataSize: math.MaxInt32}),
		greeting(extended.Handshake{Offers: ours, MetadataSize: 1})),
	floodExtended("handshakes that offer and withdraw",
		greeting(extended.Handshake{Offers: ours}),
		greeting(extended.Handshake{Offers: withdrawn()})),
	floodExtended("requests for a part of the metadata", metadata(extended.MetadataMessage{Type: extended.MetadataRequest})),
	floodExtended("requests for parts that are not there",
		metadata(extended.MetadataMessage{Type: extended.MetadataRequest, Part: math.MaxInt32})),
	floodExtended("parts of metadata that nobody asked for", metadata(extended.MetadataMessage{
		Type: extended.MetadataData, Total: math.MaxInt32, Data: make([]byte, extended.PartSize),
	})),
	floodExtended("rejects of metadata that nobody asked for", metadata(extended.MetadataMessage{Type: extended.MetadataReject})),
	floodExtended("addresses of peers", message(extended.Exchange, extended.ExchangeMessage{Added: crowd(50)}.Append(nil))),
	floodExtended("lost pieces", message(extended.DontHave, extended.AppendDontHave(nil, 0))),
	floodExtended("lost and found pieces",
		frame.Frame{Kind: frame.Have}, message(extended.DontHave, extended.AppendDontHave(nil, 0))),
	floodExtended("upload only to and fro",
		message(extended.UploadOnly, extended.AppendUploadOnly(nil, true)),
		message(extended.UploadOnly, extended.AppendUploadOnly(nil, false))),
	floodExtended("nested dictionaries",
		message(extended.Exchange, nested()), message(extended.Metadata, nested()), message(extended.DontHave, nested()),
		message(extended.UploadOnly, nested()), message(extended.HandshakeID, nested())),
	{"a lost piece out of range", true, func(c *Conn) {
		c.extend()
		c.Send(message(extended.DontHave, extended.AppendDontHave(nil, uint32(c.Torrent.PieceCount()))))
		c.Linger()
	}},
	{"an extended message longer than any", true, func(c *Conn) {
		c.extend()
		c.Send(message(extended.Metadata, make([]byte, extended.MaxLen+1)))
		c.Linger()
	}},
	{"a seed that loses each piece it is asked for", false, func(c *Conn) {
		c.extend()
		c.Send(c.everything(), frame.Frame{Kind: frame.Unchoke})
		c.eachRequest(func(fields []byte) { c.Send(message(extended.DontHave, fields[:4])) })
	}},
	{"a seed that wants nothing, and is interested", false, func(c *Conn) {
		c.extend()
		c.Send(c.everything(), message(extended.UploadOnly, extended.AppendUploadOnly(nil, true)), frame.Frame{Kind: frame.Interested})
		c.Linger()
	}},
}

// ours are all messages that we know.
var ours = extended.Ours(extended.Exchange, extended.Metadata, extended.DontHave, extended.UploadOnly)

func withdrawn() (o extended.Offers) {
	o.Withdraw(extended.Exchange, extended.Metadata, extended.DontHave, extended.UploadOnly)
	return o
}

func greeting(h extended.Handshake) frame.Frame { return message(extended.HandshakeID, h.Append(nil)) }

// message goes by the number that Kouzui wants to be sent it by.
func message(k extended.Kind, payload []byte) frame.Frame {
	return frame.Frame{Kind: frame.Extended, Index: uint32(k), Bits: payload}
}

func metadata(m extended.MetadataMessage) frame.Frame {
	return message(extended.Metadata, m.Append(nil))
}

// crowd are addresses of this machine at which nobody listens.
func crowd(n int) (all []extended.Contact) {
	for i := range n {
		all = append(all, extended.Contact{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, 0, byte(i + 1)}), 1)})
	}
	return all
}

// nested are dictionaries in dictionaries, which do not end.
func nested() []byte { return bytes.Repeat([]byte("d1:a"), 2<<10) }

func floodExtended(name string, frames ...frame.Frame) Script {
	return Script{name + " of the extension protocol, all the time", true, func(c *Conn) {
		c.extend()
		c.Flood(frames...)
	}}
}

// extend sends both handshakes.
func (c *Conn) extend() {
	c.Shake(frame.FeatureExtensions)
	c.Send(greeting(extended.Handshake{Offers: ours}))
}
