package real

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

var (
	wanted  = [20]byte{1, 2, 3}
	another = [20]byte{9}
)

// only finds one torrent.
func only(infoHash [20]byte) func([20]byte, func([20]byte, bool)) {
	return func(key [20]byte, answer func([20]byte, bool)) {
		go answer(infoHash, key == mse.TorrentKey(infoHash))
	}
}

func both(methods mse.Methods) messages.Encryption {
	return messages.Encryption{Methods: methods, InfoHash: wanted, Find: only(wanted)}
}

type shaken struct {
	frame.Handshake
	error
}

// shake exchanges handshakes between two links, as listener and peer do.
func shake(out, in messages.Link, says frame.Handshake) (ofOut, ofIn shaken) {
	met := [2]chan shaken{make(chan shaken, 1), make(chan shaken, 1)}
	out.SendHandshake(says)
	for i, l := range []messages.Link{out, in} {
		l.ReadHandshake(10*time.Second, nil, func(h frame.Handshake, err error) {
			if err != nil {
				l.Close(err)
			} else if l == in {
				in.SendHandshake(frame.Handshake{InfoHash: wanted, PeerID: [20]byte{2}})
			}
			met[i] <- shaken{h, err}
		})
	}
	return <-met[0], <-met[1]
}

func TestEncryptedLinks(t *testing.T) {
	for name, c := range map[string]struct {
		offers, takes mse.Methods
		want          messages.Encrypted
	}{
		"plaintext":                    {mse.Plaintext | mse.RC4, mse.Plaintext | mse.RC4, messages.EncryptedHandshake},
		"RC4, which the caller wants":  {mse.RC4, mse.Plaintext | mse.RC4, messages.EncryptedAll},
		"RC4, which is wanted of them": {mse.Plaintext | mse.RC4, mse.RC4, messages.EncryptedAll},
		"nothing":                      {0, mse.Plaintext | mse.RC4, messages.EncryptedNothing},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			out, in := pair(t)
			out.Encrypt(both(c.offers))
			in.Encrypt(both(c.takes))
			says := frame.Handshake{InfoHash: wanted, PeerID: [20]byte{1}}
			theirs, ours := shake(out, in, says)
			if theirs.error != nil || ours.error != nil || ours.Handshake != says || theirs.PeerID != [20]byte{2} {
				t.Fatalf("%+v, %+v", theirs, ours)
			}
			if a, b := out.Encrypted(), in.Encrypted(); a != c.want || b != c.want {
				t.Errorf("encrypted: %v, %v; want %v", a, b, c.want)
			}
			everyKindBothWays(t, out, in)
		})
	}
}

func TestEncryptionIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		out, in messages.Encryption
		says    [20]byte // the info hash of the handshake
		want    error    // of the link that came in
	}{
		"a torrent that is not here": {both(mse.RC4), messages.Encryption{Methods: mse.RC4, Find: only(another)}, wanted, errUnfound},
		"a handshake for another":    {both(mse.RC4), both(mse.RC4), another, errAnother},
		"no common method":           {both(mse.Plaintext), both(mse.RC4), wanted, mse.ErrMethod},
		"in plain where it may not":  {messages.Encryption{}, messages.Encryption{Methods: mse.RC4, Required: true}, wanted, errInPlain},
		"encrypted where it may not": {both(mse.RC4), messages.Encryption{}, wanted, new(frame.ProtocolError)},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			out, in := pair(t)
			out.Encrypt(c.out)
			in.Encrypt(c.in)
			theirs, ours := shake(out, in, frame.Handshake{InfoHash: c.says})
			if violation := new(frame.ProtocolError); !errors.Is(ours.error, c.want) && !(errors.As(c.want, &violation) && errors.As(ours.error, &violation)) {
				t.Errorf("%v, want %v", ours.error, c.want)
			}
			if theirs.error == nil {
				t.Error("the caller has a handshake")
			}
		})
	}
}

// A torrent that nobody names in time, as when the listener has died, is not
// waited for.
func TestNobodyFindsTheTorrent(t *testing.T) {
	defer goleak.VerifyNone(t)
	out, in := pair(t)
	defer out.Close(nil)
	defer in.Close(nil)
	out.Encrypt(both(mse.RC4))
	in.Encrypt(messages.Encryption{Methods: mse.RC4, Find: func([20]byte, func([20]byte, bool)) {}})
	ended, over := make(chan error, 1), make(chan struct{})
	in.ReadHandshake(100*time.Millisecond, nil, func(_ frame.Handshake, err error) { ended <- err })
	out.ReadHandshake(time.Minute, nil, func(frame.Handshake, error) { close(over) })
	if err := <-ended; !errors.Is(err, errTimedOut) {
		t.Error(err)
	}
	in.Close(nil)
	<-over
}

// peerOf plays the other side of a link by hand, with much padding, one piece
// of so many bytes at a time. It has info hash, handshake and frames come right
// behind each other.
func peerOf(t *testing.T, conn net.Conn, dials bool, methods mse.Methods, cut int, says []byte) (heard []byte) {
	t.Helper()
	random := &[mse.RandomLen]byte{5, 20: 1, 21: 0xff, 22: 2, 23: 0}
	write := func(b []byte) {
		for part := range slices.Chunk(b, cut) {
			if _, err := conn.Write(part); err != nil {
				t.Error(err)
			}
		}
	}
	var h mse.Handshake
	var send []byte
	if h.Answer(methods, random); dials {
		send = h.Dial(wanted, methods, says, random, nil)
	}
	room := make([]byte, 1<<10)
	var rest []byte
	for !h.Done() {
		write(send)
		if len(rest) == 0 {
			n, err := conn.Read(room)
			if err != nil {
				t.Error(err)
				return nil
			}
			rest = room[:n]
		}
		var err error
		if rest, send, err = h.Receive(rest, nil); err != nil {
			t.Error(err)
			return nil
		}
		if _, sought := h.Sought(); sought {
			h.Found(wanted)
		}
	}
	in, out := h.Ciphers()
	if !dials {
		says = slices.Clone(says)
		out.XOR(says)
		send = append(send, says...)
	}
	write(send)
	heard = slices.Clone(rest)
	in.XOR(heard)
	for len(heard) < frame.HandshakeLen {
		n, err := conn.Read(room)
		if err != nil {
			t.Error(err)
			return nil
		}
		in.XOR(room[:n])
		heard = append(heard, room[:n]...)
	}
	return heard
}

// TestWhatFollowsTheHandshakeIsNotLost: frames right behind the handshakes come
// through, in the initial payload and behind it, however the bytes are cut.
func TestWhatFollowsTheHandshakeIsNotLost(t *testing.T) {
	block := bytes.Repeat([]byte("block"), 3000)
	says := wire(frame.Handshake{InfoHash: wanted, PeerID: [20]byte{1}})
	says = frame.AppendHeader(says, frame.Frame{Kind: frame.Have, Index: 3})
	says = frame.AppendHeader(says, frame.Frame{Kind: frame.Piece, Index: 1, Length: uint32(len(block))})
	says = append(says, block...)
	for _, methods := range []mse.Methods{mse.Plaintext, mse.RC4} {
		for _, dials := range []bool{false, true} {
			for _, cut := range []int{1, 50, 1 << 20} {
				l, conn := rawPair(t)
				l.inbound = dials
				l.Encrypt(both(mse.Plaintext | mse.RC4))
				ours := frame.Handshake{InfoHash: wanted, PeerID: [20]byte{7}}
				if !dials {
					l.SendHandshake(ours)
				}
				shaken := make(chan error, 1)
				l.ReadHandshake(time.Minute, nil, func(_ frame.Handshake, err error) {
					if dials {
						l.SendHandshake(ours)
					}
					shaken <- err
				})
				heard := peerOf(t, conn, dials, methods, cut, says)
				if err := <-shaken; err != nil || !bytes.Equal(heard, wire(ours)) {
					t.Fatalf("%v, cut to %d: %v, heard %q", dials, cut, err, heard)
				}
				l.Expect(1)
				events := start(l, frame.Limits{Pieces: 9})
				got := take(t, l, events, 2)
				if got[0].Index != 3 || !bytes.Equal(got[1].Block.Bytes(), block) {
					t.Errorf("%v, cut to %d: %+v", dials, cut, got)
				}
				got[1].Block.Release()
				conn.Close()
				if err := closing(t, l, events); err != io.EOF {
					t.Error(err)
				}
			}
		}
	}
}

// ciphers are those of one side that has agreed on RC4.
func ciphers() (in, out mse.Cipher) {
	var a, b mse.Handshake
	b.Answer(mse.RC4, &[mse.RandomLen]byte{1})
	_, send, _ := b.Receive(a.Dial(wanted, mse.RC4, nil, &[mse.RandomLen]byte{2}, nil), nil)
	_, send, _ = a.Receive(send, nil)
	rest, _, _ := b.Receive(send, nil)
	b.Found(wanted)
	_, _, _ = b.Receive(rest, nil)
	return b.Ciphers()
}

// What is encrypted takes no memory where it is received either.
func TestDecryptingAllocatesNothing(t *testing.T) {
	l := &link{}
	l.in, _ = ciphers()
	bufs := [][]byte{make([]byte, 13), make([]byte, buffer.Size), make([]byte, 100)}
	if n := testing.AllocsPerRun(50, func() { l.decrypt(bufs, buffer.Size+20) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func wire(h frame.Handshake) []byte { return h.Append(nil) }
