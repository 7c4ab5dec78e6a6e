package hostile

import (
	"slices"
	"time"

	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

// encryptedScripts break the encrypted handshake (MSE), or what follows it.
var encryptedScripts = []Script{
	{"half an encrypted handshake", false, func(c *Conn) {
		var h mse.Handshake
		c.Raw(h.Dial(c.Torrent.InfoHash, mse.RC4, nil, c.secret(), nil)...)
		c.Linger()
	}},
	{"a public key of zeros", true, func(c *Conn) { c.Raw(make([]byte, 96)...); c.Linger() }},
	{"a public key above the prime", true, func(c *Conn) {
		c.Raw(slices.Repeat([]byte{0xff}, 96)...)
		c.Linger()
	}},
	{"endless padding", true, func(c *Conn) {
		var h mse.Handshake
		c.Raw(h.Dial(c.Torrent.InfoHash, mse.RC4, nil, c.secret(), nil)...)
		c.threads.Go(c.drain)
		for c.Open() {
			c.garbage(100)
		}
	}},
	{"an encrypted handshake for another torrent", true, func(c *Conn) {
		c.whisper([20]byte{1}, mse.RC4)
		c.Linger()
	}},
	{"an encrypted handshake, and another torrent in it", true, func(c *Conn) {
		c.whisper(c.Torrent.InfoHash, mse.Plaintext)
		h := frame.Handshake{PeerID: c.ID}
		c.Raw(h.Append(nil)...)
		c.Linger()
	}},
	{"an encrypted handshake with no method", true, func(c *Conn) {
		c.whisper(c.Torrent.InfoHash, 1<<31)
		c.Linger()
	}},
	{"an encrypted handshake, and garbage", true, func(c *Conn) {
		c.whisper(c.Torrent.InfoHash, mse.RC4)
		c.garbage(64 << 10)
		c.Linger()
	}},
	{"an encrypted handshake byte by byte", false, func(c *Conn) {
		var h mse.Handshake
		c.threads.Go(c.drain)
		for _, b := range h.Dial(c.Torrent.InfoHash, mse.RC4, nil, c.secret(), nil) {
			if c.Raw(b); !c.Wait(100 * time.Millisecond) {
				return
			}
		}
	}},
}

// secret are random bytes for an encrypted handshake, with much padding.
func (c *Conn) secret() *[mse.RandomLen]byte {
	var random [mse.RandomLen]byte
	for i := range random {
		random[i] = byte(c.Rand.Uint32())
	}
	return &random
}

// whisper dials with an encrypted handshake, as far as the other side goes.
// What follows is up to the script.
func (c *Conn) whisper(infoHash [20]byte, methods mse.Methods) {
	var h mse.Handshake
	send := h.Dial(infoHash, methods, nil, c.secret(), nil)
	room := make([]byte, 2<<10)
	for !h.Done() {
		if c.Raw(send...); c.failed {
			return
		}
		n, err := c.in.Read(room[:h.Least()])
		if err != nil {
			c.failed = true
			return
		}
		if _, send, err = h.Receive(room[:n], nil); err != nil {
			return
		}
	}
}
