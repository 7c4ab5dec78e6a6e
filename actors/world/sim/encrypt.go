package sim

import (
	"errors"
	"slices"

	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

var (
	errUnfound = errors.New("an encrypted handshake for a torrent that is not here")
	errAnother = errors.New("the handshake is for another torrent than the encryption")
	errInPlain = errors.New("the handshake is not encrypted, and has to be")

	errNoFrames = &frame.ProtocolError{Text: "bytes that are no frames"}
)

// secrecy is the encryption of one end of a connection. The bytes of encrypted
// handshakes travel as they are; what follows them travels as values, as it
// does without encryption.
type secrecy struct {
	messages.Encryption
	handshake *mse.Handshake // under way, or done; nil: there is none
	torrent   [20]byte       // that the encrypted handshake is for
	waits     bool           // our handshake waits for the encrypted one, which is due or under way
	in        mse.Cipher
	raw       []byte // has come, and was not handled
	said      []byte // what was said of the handshake of BEP 3
	hidden    messages.Encrypted
	hear      func([]byte) // takes the bytes instead; or nil
}

// Encrypt implements messages.Link.
func (l *link) Encrypt(e messages.Encryption) {
	l.secrecy = secrecy{Encryption: e, waits: e.Methods != 0 && !l.inbound, raw: l.secrecy.raw}
}

// Encrypted implements messages.Link.
func (l *link) Encrypted() messages.Encrypted { return l.secrecy.hidden }

// whisper begins the encrypted handshake of the end that dialled.
func (l *link) whisper() {
	s := &l.secrecy
	s.handshake, s.torrent = new(mse.Handshake), s.InfoHash
	var initial []byte
	if l.greeting != nil {
		initial, l.greeting = l.greeting.Append(nil), nil
	}
	l.speak(s.handshake.Dial(s.InfoHash, s.Methods, initial, l.host.sim.secret(), nil))
}

// secret are random bytes for one side of a handshake.
func (s *Sim) secret() *[mse.RandomLen]byte {
	var random [mse.RandomLen]byte
	for i := range random {
		random[i] = byte(s.net.Uint32())
	}
	return &random
}

// speak sends bytes.
func (l *link) speak(b []byte) {
	if len(b) == 0 || l.closed != nil {
		return
	}
	seg := l.segment()
	seg.raw, seg.cause = b, l.host.sim.origin.next
	seg.bytes = int64(len(b))
	l.buffered += seg.bytes
	l.writer.pass(seg)
}

// overhear takes bytes that have come.
func (l *link) overhear(b []byte) {
	switch s := &l.secrecy; {
	case s.hear != nil:
		s.hear(b)
	case l.theirs != nil:
		l.end(errNoFrames)
	default:
		s.raw = append(s.raw, b...)
		l.listen()
	}
}

// listen handles bytes that have come, once the handshake is waited for.
func (l *link) listen() {
	if l.greeted == nil || l.closed != nil {
		return
	}
	if err := l.understand(); err != nil {
		l.greet(frame.Handshake{}, err)
	}
}

func (l *link) understand() error {
	s := &l.secrecy
	if s.handshake == nil {
		_, _, err := frame.ParseHandshakeStart(s.raw)
		if err != nil && (s.Methods == 0 || mse.IsText(s.raw)) {
			return err
		}
		s.handshake = new(mse.Handshake)
		s.handshake.Answer(s.Methods, l.host.sim.secret())
	}
	for !s.handshake.Done() {
		if _, sought := s.handshake.Sought(); sought {
			return nil // until it is found
		}
		rest, send, err := s.handshake.Receive(s.raw, nil)
		if err != nil {
			return err
		}
		s.raw = slices.Clone(rest)
		l.speak(send)
		if key, sought := s.handshake.Sought(); sought {
			s.Find(key, l.found)
			return nil
		}
		if !s.handshake.Done() {
			return nil
		}
		s.in, _ = s.handshake.Ciphers()
		s.hidden = messages.EncryptedHandshake
		if s.handshake.Method() == mse.RC4 {
			s.hidden = messages.EncryptedAll
		}
		s.waits = false
		l.load()
	}
	s.in.XOR(s.raw)
	s.said, s.raw = append(s.said, s.raw...), nil
	if len(s.said) == 0 {
		return nil
	}
	said := s.said[:min(len(s.said), frame.HandshakeLen)]
	h, known, err := frame.ParseHandshakeStart(said)
	switch {
	case err != nil:
		return err
	case len(said) == frame.HandshakeLen:
		copy(h.PeerID[:], said[frame.HashKnownLen:])
		l.hail(h)
	case known:
		l.begin(h)
	}
	return nil
}

// begin takes the handshake of the other end without its peer id.
func (l *link) begin(h frame.Handshake) {
	if err := l.secrecy.permits(h.InfoHash, l.inbound); err != nil {
		l.greet(frame.Handshake{}, err)
	} else if l.known != nil {
		l.known(h)
	}
}

// found goes on with an encrypted handshake.
func (l *link) found(infoHash [20]byte, found bool) {
	switch s := &l.secrecy; {
	case l.greeted == nil || l.closed != nil:
	case !found:
		l.greet(frame.Handshake{}, errUnfound)
	default:
		s.torrent = infoHash
		s.handshake.Found(infoHash)
		l.listen()
	}
}

// hail takes the whole handshake of the other end.
func (l *link) hail(h frame.Handshake) {
	if err := l.secrecy.permits(h.InfoHash, l.inbound); err != nil {
		l.greet(frame.Handshake{}, err)
		return
	}
	l.theirs = &h
	l.greet(h, nil)
}

// permits tells whether the handshake of BEP 3 may follow what was before it.
func (s *secrecy) permits(infoHash [20]byte, inbound bool) error {
	switch {
	case s.hidden == messages.EncryptedNothing:
		if inbound && s.Required {
			return errInPlain
		}
	case infoHash != s.torrent:
		return errAnother
	}
	return nil
}

// The following are for scripts of the lab, which handle a link byte by byte.

// Say sends bytes in place of a handshake.
func Say(l messages.Link, b []byte) { l.(*link).speak(slices.Clone(b)) }

// Hear has take called with the bytes that come in place of a handshake.
func Hear(l messages.Link, take func([]byte)) { l.(*link).secrecy.hear = take }
