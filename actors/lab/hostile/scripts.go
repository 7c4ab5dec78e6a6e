package hostile

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"kouzui/wire/frame"
)

const blockSize = frame.BlockSize

// Scripts are all scripts, except those that a Seed makes.
var Scripts = slices.Concat(scripts, fastScripts, extendedScripts, encryptedScripts)

var scripts = []Script{
	{"nothing at all", false, func(c *Conn) { c.Linger() }},
	{"another protocol", true, func(c *Conn) {
		c.Raw([]byte("GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a rather long one, so that a handshake is full\r\n\r\n")...)
		c.Linger()
	}},
	{"garbage for a handshake", true, func(c *Conn) { c.garbage(1 << 10); c.Linger() }},
	{"half a handshake", false, func(c *Conn) { // it tells the info hash, and is answered
		h := frame.Handshake{InfoHash: c.Torrent.InfoHash, PeerID: c.ID}
		c.Raw(h.Append(nil)[:frame.HashKnownLen]...)
		c.Linger()
	}},
	{"a handshake for another torrent", true, func(c *Conn) {
		h := frame.Handshake{PeerID: c.ID}
		c.Raw(h.Append(nil)...)
		c.Linger()
	}},
	{"a handshake byte by byte", false, func(c *Conn) {
		h := frame.Handshake{InfoHash: c.Torrent.InfoHash, PeerID: c.ID}
		c.threads.Go(c.drain)
		for _, b := range h.Append(nil) {
			if c.Raw(b); !c.Wait(100 * time.Millisecond) {
				return
			}
		}
	}},
	{"a handshake and no more", false, func(c *Conn) { c.Shake(); c.Linger() }},
	{"a handshake and the end", true, func(c *Conn) { c.Shake() }},
	{"half-closed", true, func(c *Conn) { // it closes its direction, and then only listens
		c.Shake()
		if half, is := c.ReadWriteCloser.(interface{ CloseWrite() error }); is {
			_ = half.CloseWrite()
		}
		c.Linger()
	}},

	after("garbage for frames", func(c *Conn) { c.garbage(64 << 10) }),
	after("a frame of 4 GiB", func(c *Conn) { c.Raw(0xff, 0xff, 0xff, 0xff, byte(frame.Piece)) }),
	after("a huge frame of an unknown kind", func(c *Conn) { c.Raw(0x7f, 0, 0, 0, 99) }),
	after("a have of 4 GiB", func(c *Conn) { c.Raw(0xff, 0xff, 0xff, 0xff, byte(frame.Have)) }),
	after("a short bitfield", func(c *Conn) { c.Raw(0, 0, 0, 1, byte(frame.Bitfield)) }),
	after("a long bitfield", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Bitfield, Bits: make([]byte, (c.Torrent.PieceCount()+7)/8+1)})
	}),
	after("spare bits", func(c *Conn) {
		f := c.everything()
		if c.Torrent.PieceCount()%8 == 0 {
			f.Bits = append(f.Bits, 0)
		}
		f.Bits[len(f.Bits)-1] |= 1
		c.Send(f)
	}),
	after("a have out of range", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Have, Index: uint32(c.Torrent.PieceCount())})
	}),
	after("a request out of range", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Request, Index: math.MaxUint32, Length: blockSize})
	}),
	after("a request across the end", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Request, Begin: math.MaxUint32, Length: blockSize})
	}),
	after("a request too large", func(c *Conn) {
		c.Send(frame.Frame{Kind: frame.Request, Length: math.MaxUint32})
	}),
	after("a request for nothing", func(c *Conn) { c.Send(frame.Frame{Kind: frame.Request}) }),
	after("a piece too large", func(c *Conn) { c.Raw(0, 2, 0, 9, byte(frame.Piece)) }),
	after("blocks that nobody asked for", func(c *Conn) {
		for i := range uint32(100) {
			c.Send(frame.Frame{Kind: frame.Piece, Index: i % uint32(c.Torrent.PieceCount()), Length: blockSize})
		}
	}),
	after("empty blocks at odd places", func(c *Conn) {
		for range 100 {
			c.Send(frame.Frame{Kind: frame.Piece, Index: c.Rand.Uint32(), Begin: c.Rand.Uint32()})
		}
	}),

	flood("keep-alives", frame.Frame{Kind: frame.KeepAlive}),
	flood("haves", frame.Frame{Kind: frame.Have}),
	flood("chokes to and fro", frame.Frame{Kind: frame.Unchoke}, frame.Frame{Kind: frame.Choke}),
	flood("interest to and fro", frame.Frame{Kind: frame.Interested}, frame.Frame{Kind: frame.NotInterested}),
	flood("requests", frame.Frame{Kind: frame.Request, Length: blockSize}),
	flood("requests and cancels", frame.Frame{Kind: frame.Request, Length: 1}, frame.Frame{Kind: frame.Cancel, Length: 1}),
	flood("cancels", frame.Frame{Kind: frame.Cancel, Length: blockSize}),
	flood("ports", frame.Frame{Kind: frame.Port, Index: 6881}),
	{"bitfields, all the time", true, func(c *Conn) { c.Shake(); c.Flood(c.everything()) }},
	{"extended messages, all the time", true, func(c *Conn) {
		c.Shake()
		c.Flood(frame.Frame{Kind: frame.Extended, Index: 1, Bits: []byte("d1:ad1:ad1:aeee")})
	}},
	{"extended handshakes of nested lists", true, func(c *Conn) {
		c.Shake()
		nested := make([]byte, 8<<10)
		for i := range nested {
			nested[i] = 'l'
		}
		c.Flood(frame.Frame{Kind: frame.Extended, Bits: nested})
	}},

	{"a slot holder that never answers", false, func(c *Conn) {
		c.Shake()
		c.Send(c.everything(), frame.Frame{Kind: frame.Unchoke}, frame.Frame{Kind: frame.Interested})
		c.Linger()
	}},
	{"a reader that never reads", false, func(c *Conn) {
		c.Shake()
		c.Send(frame.Frame{Kind: frame.Interested})
		n := uint32(c.Torrent.PieceCount())
		for i := uint32(0); i < 2000 && c.Wait(10*time.Millisecond); i++ {
			c.Send(frame.Frame{Kind: frame.Request, Index: i % n, Length: min(blockSize, uint32(c.Torrent.PieceSize(int(i%n))))})
		}
		c.Wait(time.Hour)
	}},
	{"a frame byte by byte, for ever", false, func(c *Conn) {
		c.Shake()
		c.threads.Go(c.drain)
		var b []byte
		for i := uint32(0); ; i++ {
			b = binary.BigEndian.AppendUint32(b[:0], 0)
			if c.Raw(b[i%4]); !c.Wait(50 * time.Millisecond) {
				return
			}
		}
	}},
	{"flapping, slowly", false, func(c *Conn) {
		c.Shake()
		c.threads.Go(c.drain)
		c.Send(c.everything())
		for c.Wait(200 * time.Millisecond) {
			c.Send(frame.Frame{Kind: frame.Unchoke})
			c.Wait(20 * time.Millisecond)
			c.Send(frame.Frame{Kind: frame.Choke})
		}
	}},
}

// after makes a script that shakes hands, and then does something for which a
// client must close the connection.
func after(name string, do func(*Conn)) Script {
	return Script{name, true, func(c *Conn) {
		c.Shake()
		do(c)
		c.Linger()
	}}
}

func flood(name string, frames ...frame.Frame) Script {
	return Script{name + ", all the time", true, func(c *Conn) {
		c.Shake()
		c.Flood(frames...)
	}}
}

func (c *Conn) garbage(n int) {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.Rand.Uint32())
	}
	b[0] = 0xff
	c.Raw(b...)
}
