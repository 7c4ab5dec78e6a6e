package real

import (
	crand "crypto/rand"
	"errors"
	"sync"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

var (
	errUnfound = errors.New("an encrypted handshake for a torrent that is not here")
	errAnother = errors.New("the handshake is for another torrent than the encryption")
	errInPlain = errors.New("the handshake is not encrypted, and has to be")
)

// exchange is an encrypted handshake under way.
type exchange struct {
	mse.Handshake
	random [mse.RandomLen]byte
	got    [mse.MaxReply + frame.HandshakeLen]byte
	send   []byte
}

// exchanges are lent for one handshake each.
var exchanges = sync.Pool{New: func() any { return &exchange{send: make([]byte, 0, mse.MaxReply+frame.HandshakeLen)} }}

// Encrypt implements messages.Link.
func (l *link) Encrypt(e messages.Encryption) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.encryption = e
	l.waits = e.Methods != 0 && !l.inbound
}

// Encrypted implements messages.Link.
func (l *link) Encrypted() messages.Encrypted {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hidden
}

// permits tells whether the handshake of BEP 3 may follow what was before it.
func (l *link) permits(infoHash [20]byte) error {
	switch {
	case l.Encrypted() == messages.EncryptedNothing:
		if l.inbound && l.encryption.Required {
			return errInPlain
		}
	case infoHash != l.torrent:
		return errAnother
	}
	return nil
}

// exchange exchanges the encrypted handshakes. Of those bytes that have come,
// first are the first. It puts what has come of the handshake of BEP 3 into b,
// and reads nothing behind that.
func (l *link) exchange(until time.Time, first, b []byte) (n int, err error) {
	if err := l.conn.SetWriteDeadline(until); err != nil {
		return 0, err
	}
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	_, _ = crand.Read(x.random[:]) // never fails
	send := x.begin(l)
	in := first
	for {
		if len(send) > 0 {
			if _, err := l.conn.Write(send); err != nil {
				return 0, err
			}
		}
		if x.Done() {
			break
		}
		if len(in) == 0 {
			n, err := l.conn.Read(x.got[:x.Least()+len(b)])
			if n == 0 {
				return 0, err
			}
			in = x.got[:n]
		}
		if in, send, err = x.Receive(in, x.send[:0]); err != nil {
			return 0, err
		}
		if key, sought := x.Sought(); sought {
			if l.torrent, err = l.find(key, until); err != nil {
				return 0, err
			}
			x.Found(l.torrent)
		}
	}
	if err := l.conn.SetWriteDeadline(time.Time{}); err != nil { // before a writer sets its own
		return 0, err
	}
	n = copy(b, in)
	l.encrypted(&x.Handshake)
	l.in.XOR(b[:n])
	return n, nil
}

// begin begins our side, and returns what is to be sent first. Our handshake is
// said as the initial payload if it is there.
func (x *exchange) begin(l *link) (send []byte) {
	if l.inbound {
		x.Answer(l.encryption.Methods, &x.random)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.torrent = l.encryption.InfoHash
	send = x.Dial(l.torrent, l.encryption.Methods, l.greeting, &x.random, x.send[:0])
	l.greeting = nil
	return send
}

// find waits until it is known which torrent an encrypted handshake is for.
func (l *link) find(key [20]byte, until time.Time) (infoHash [20]byte, err error) {
	type answer struct {
		infoHash [20]byte
		found    bool
	}
	answers := make(chan answer, 1)
	l.encryption.Find(key, func(infoHash [20]byte, found bool) { answers <- answer{infoHash, found} })
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	select {
	case a := <-answers:
		if !a.found {
			return infoHash, errUnfound
		}
		return a.infoHash, nil
	case <-l.closed:
		return infoHash, errClosed
	case <-late.C:
		return infoHash, errTimedOut
	}
}

// encrypted has the link go on as the handshake says.
func (l *link) encrypted(h *mse.Handshake) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in, l.out = h.Ciphers()
	l.hidden = messages.EncryptedHandshake
	if h.Method() == mse.RC4 {
		l.hidden = messages.EncryptedAll
	}
	l.waits = false
	if len(l.greeting) > 0 {
		l.out.XOR(l.greeting)
		l.wake()
	}
}

// decrypt decrypts the first n bytes that were read into bufs.
func (l *link) decrypt(bufs [][]byte, n int) {
	if !l.in.Active() {
		return
	}
	for _, b := range bufs {
		b = b[:min(n, len(b))]
		l.in.XOR(b)
		n -= len(b)
	}
}
