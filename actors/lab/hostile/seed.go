package hostile

import (
	"encoding/binary"
	"time"

	"kouzui/wire/frame"
)

// Seed describes a peer that claims to have everything, and how it serves
// blocks.
type Seed struct {
	Data []byte
	// Spoil may change a block before it is sent.
	Spoil func(piece, begin uint32, block []byte)
	Pause time.Duration // before each block
	Again int           // how often each block comes again
	// ChokeEvery, if not 0, says that each so many-th block is served between a
	// choke and an unchoke.
	ChokeEvery int
	// Allows, if not 0, is of how many pieces the seed serves requests although it
	// never unchokes anybody (BEP 6).
	Allows int
}

// Script makes a script that serves like this.
func (s Seed) Script(name string) Script {
	return Script{Name: name, Act: func(c *Conn) {
		s.greet(c)
		for n := 1; ; {
			kind, fields, ok := c.next()
			if !ok || !c.Open() {
				return
			}
			if kind != frame.Request || len(fields) != 12 {
				continue
			}
			if !s.serve(c, n, fields) {
				return
			}
			n++
		}
	}}
}

func (s Seed) greet(c *Conn) {
	if s.Allows == 0 {
		c.Shake()
		c.Send(c.everything(), frame.Frame{Kind: frame.Unchoke})
		return
	}
	c.Shake(frame.FeatureFast)
	c.Send(frame.Frame{Kind: frame.HaveAll})
	for i := range s.Allows {
		c.Send(frame.Frame{Kind: frame.AllowedFast, Index: uint32(i)})
	}
}

// serve sends the block that the fields of a request name, the n-th that is
// served; false means that the script ends.
func (s Seed) serve(c *Conn, n int, fields []byte) bool {
	be := binary.BigEndian
	piece, begin, length := be.Uint32(fields), be.Uint32(fields[4:]), be.Uint32(fields[8:])
	at := int64(piece)*c.Torrent.PieceLength + int64(begin)
	if at+int64(length) > int64(len(s.Data)) {
		return false
	}
	if s.Pause > 0 && !c.Wait(s.Pause) {
		return false
	}
	message := frame.AppendHeader(nil, frame.Frame{Kind: frame.Piece, Index: piece, Begin: begin, Length: length})
	head := len(message)
	message = append(message, s.Data[at:at+int64(length)]...)
	if s.Spoil != nil {
		s.Spoil(piece, begin, message[head:])
	}
	choke := s.ChokeEvery > 0 && n%s.ChokeEvery == 0
	if choke {
		c.Send(frame.Frame{Kind: frame.Choke})
	}
	for range 1 + s.Again {
		c.Raw(message...)
	}
	if choke {
		c.Send(frame.Frame{Kind: frame.Unchoke})
	}
	return true
}
