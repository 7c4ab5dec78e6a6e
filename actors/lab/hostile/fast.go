package hostile

import (
	"encoding/binary"
	"math"

	"kouzui/wire/frame"
)

// fastScripts do harm with the fast extension (BEP 6).
var fastScripts = []Script{
	after("have all without the fast extension", func(c *Conn) { c.Send(frame.Frame{Kind: frame.HaveAll}) }),
	after("a reject without the fast extension", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Reject, Length: blockSize})
	}),
	afterFast("a long have all", func(c *Conn) { c.Raw(0, 0, 0, 2, byte(frame.HaveAll), 0) }),
	afterFast("a short reject", func(c *Conn) { c.Raw(0, 0, 0, 5, byte(frame.Reject), 0, 0, 0, 0) }),
	afterFast("have none after have all", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.HaveAll}, frame.Frame{Kind: frame.HaveNone})
	}),
	afterFast("rejects of what nobody asked for", func(c *Conn) {
		n := uint32(c.Torrent.PieceCount())
		for i := range uint32(100) {
			c.Send(frame.Frame{Kind: frame.Reject, Index: i % n, Length: min(blockSize, uint32(c.Torrent.PieceSize(int(i%n))))})
		}
	}),
	afterFast("a reject out of range", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Reject, Index: math.MaxUint32, Length: blockSize})
	}),
	afterFast("allowed fast out of range", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.AllowedFast, Index: uint32(c.Torrent.PieceCount())})
	}),
	afterFast("a suggestion out of range", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Suggest, Index: math.MaxUint32})
	}),
	floodFast("rejects", frame.Frame{Kind: frame.Reject, Length: blockSize}),
	floodFast("have alls", frame.Frame{Kind: frame.HaveAll}),
	floodFast("have nones", frame.Frame{Kind: frame.HaveNone}),
	floodFast("allowed fast", frame.Frame{Kind: frame.AllowedFast}),
	floodFast("suggestions", frame.Frame{Kind: frame.Suggest}),
	floodFast("requests to be rejected", frame.Frame{Kind: frame.Request, Length: blockSize}),
	floodFast("requests and cancels to be rejected", frame.Frame{Kind: frame.Request, Length: 1}, frame.Frame{Kind: frame.Cancel, Length: 1}),

	{"requests to be rejected, and a reader that never reads", true, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		for c.Open() {
			c.Send(frame.Frame{Kind: frame.Request, Length: blockSize})
		}
	}},
	{"a slot holder that rejects everything", false, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		c.Send(frame.Frame{Kind: frame.HaveAll}, frame.Frame{Kind: frame.Unchoke})
		c.eachRequest(c.reject)
	}},
	{"what is allowed is rejected", false, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		c.Send(frame.Frame{Kind: frame.HaveAll})
		for i := range min(c.Torrent.PieceCount(), 50) {
			c.Send(frame.Frame{Kind: frame.AllowedFast, Index: uint32(i)})
		}
		c.eachRequest(c.reject)
	}},
	{"a choke that is not followed by rejects", false, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		c.Send(frame.Frame{Kind: frame.HaveAll}, frame.Frame{Kind: frame.Unchoke})
		c.eachRequest(func([]byte) { c.Send(frame.Frame{Kind: frame.Choke}) })
	}},
	{"each request is rejected twice", false, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		c.Send(frame.Frame{Kind: frame.HaveAll}, frame.Frame{Kind: frame.Unchoke})
		c.eachRequest(func(fields []byte) { c.reject(fields); c.reject(fields) })
	}},
}

// afterFast and floodFast are like after and flood, with the fast extension.
func afterFast(name string, do func(*Conn)) Script {
	return Script{name, true, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		do(c)
		c.Linger()
	}}
}

func floodFast(name string, frames ...frame.Frame) Script {
	return Script{name + " of the fast extension, all the time", true, func(c *Conn) {
		c.Shake(frame.FeatureFast)
		c.Flood(frames...)
	}}
}

// eachRequest calls do with the fields of each request, until the connection
// has ended.
func (c *Conn) eachRequest(do func(fields []byte)) {
	for c.Open() {
		kind, fields, ok := c.next()
		if !ok {
			return
		}
		if kind == frame.Request && len(fields) == 12 {
			do(fields)
		}
	}
}

func (c *Conn) reject(fields []byte) {
	be := binary.BigEndian
	c.Send(frame.Frame{Kind: frame.Reject, Index: be.Uint32(fields), Begin: be.Uint32(fields[4:]), Length: be.Uint32(fields[8:])})
}
