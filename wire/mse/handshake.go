package mse

import (
	"bytes"
	"crypto/rc4"
	"crypto/subtle"
	"encoding/binary"
)

const (
	maxPad   = 512
	hashLen  = 20
	checkLen = 8 // of VC

	// RandomLen is how many random bytes a side needs: a private key, the lengths
	// of two pads, and the bytes of the one that is not encrypted.
	RandomLen = privateLen + 2 + 2 + maxPad
	// MaxReply is how many bytes a call may give to be sent, beside the initial
	// payload.
	MaxReply = max(keyLen+maxPad, 2*hashLen+checkLen+4+2+maxPad+2)
)

// step is what a side waits for.
type step uint8

const (
	forKey     step = iota // the public key
	forSync                // the end of the first pad
	forTorrent             // which torrent: of the side that answers alone
	forAnswer              // Found: of the side that answers alone
	forHead                // the methods, and how long the next pad is
	forPad                 // the end of the next pad
	forInitial             // the length of the initial payload: of the side that answers alone
	finished
)

// stepLens are how many bytes each step takes: a search as many at least, and a
// pad more.
type stepLens [finished]int

var (
	dialledLens   = stepLens{forKey: keyLen, forSync: checkLen, forHead: 4 + 2}
	answeringLens = stepLens{forKey: keyLen, forSync: hashLen, forTorrent: hashLen, forHead: checkLen + 4 + 2, forInitial: 2}
)

// Handshake is one side of a handshake. Dial or Answer begins it; after an
// error it is of no use any more. It holds no references to what it was given,
// except for the initial payload.
type Handshake struct {
	random   [RandomLen]byte
	methods  Methods // that are offered or taken; in the end the one that is used
	answers  bool
	step     step
	infoHash [20]byte
	initial  []byte        // that is sent
	shared   [keyLen]byte  // S, from which the ciphers follow
	secret   []byte        // of shared, from which the rest follows
	sync     [hashLen]byte // the bytes that end the first pad
	syncLen  int           // how many of them there are
	// short is sync of a side like rtorrent 0.9.8, which leaves leading zeros of S
	// out and has shared end with them; zero: S has none. Without this, one
	// connection in 256 with rtorrent would fail.
	short    [hashLen]byte
	key      [hashLen]byte // of the torrent: TorrentKey
	pad      int           // length of the next pad
	expected int           // bytes of initial payload that the other side sends
	in, out  *rc4.Cipher
	buf      [maxPad + hashLen]byte // what has come for this step
	n        int                    // how much that is
}

// Dial begins the side that dialled, and appends what is to be sent first. The
// first of the bytes behind the handshake are initial, up to 64 KiB of them,
// which must not be changed before the handshake is done.
func (h *Handshake) Dial(infoHash [20]byte, offers Methods, initial []byte, random *[RandomLen]byte, send []byte) []byte {
	*h = Handshake{random: *random, methods: offers, infoHash: infoHash, initial: initial}
	return h.appendKey(send)
}

// Answer begins the side that was dialled. It takes one of methods.
func (h *Handshake) Answer(methods Methods, random *[RandomLen]byte) {
	*h = Handshake{random: *random, methods: methods, answers: true}
}

// Receive takes bytes of the other side, and appends what is to be sent. It
// returns those that it has not used: when Done or Sought is true.
func (h *Handshake) Receive(in, send []byte) (rest, reply []byte, err error) {
	for h.step != finished && h.step != forAnswer {
		want := h.wants()
		taken := copy(h.buf[h.n:], in[:min(want, len(in))])
		h.n, in = h.n+taken, in[taken:]
		if h.step == forSync && h.n+h.wants() > maxPad+h.syncLen {
			return nil, nil, ErrNoSync
		}
		if taken < want {
			break
		}
		if send, err = h.advance(send); err != nil {
			return nil, nil, err
		}
	}
	return in, send, nil
}

// Done tells whether the handshake is over.
func (h *Handshake) Done() bool { return h.step == finished }

// Sought tells whether Found has to be called before the handshake can go on,
// with the info hash of the torrent that has this TorrentKey.
func (h *Handshake) Sought() (key [20]byte, sought bool) {
	if h.step != forAnswer {
		return key, false
	}
	return h.key, true
}

// Found says which torrent the handshake is for.
func (h *Handshake) Found(infoHash [20]byte) {
	h.infoHash = infoHash
	h.in, h.out = newCipher("keyA", &h.shared, &infoHash), newCipher("keyB", &h.shared, &infoHash)
	h.step = forHead
}

// Least is how many bytes have to come until the handshake can be done. Whoever
// reads no more at a time reads nothing that follows it.
func (h *Handshake) Least() int {
	if h.step >= finished {
		return 0
	}
	n := h.wants()
	for _, length := range h.lengths()[h.step+1:] {
		n += length
	}
	return n
}

// Method is how what follows the handshake is carried, once it is done.
func (h *Handshake) Method() Methods { return h.methods }

// Ciphers are those of what comes and what is sent behind the handshake.
func (h *Handshake) Ciphers() (in, out Cipher) {
	if h.methods == RC4 {
		return Cipher{rc4: h.in}, Cipher{rc4: h.out}
	}
	if h.expected > 0 { // the initial payload is encrypted in any case
		in = Cipher{rc4: h.in, left: h.expected, bounded: true}
	}
	return in, Cipher{}
}

func (h *Handshake) lengths() *stepLens {
	if h.answers {
		return &answeringLens
	}
	return &dialledLens
}

// wants is how many more bytes this step takes at least.
func (h *Handshake) wants() int {
	switch h.step {
	case forSync:
		n := h.syncLen - h.overlap(h.sync[:h.syncLen])
		if h.short != [hashLen]byte{} {
			n = min(n, hashLen-h.overlap(h.short[:]))
		}
		return n
	case forPad:
		return h.pad - h.n
	}
	return h.lengths()[h.step] - h.n
}

// overlap is how many of the bytes that end the pad have come, if the next ones
// are the rest of them.
func (h *Handshake) overlap(sync []byte) int {
	for n := min(len(sync), h.n); n > 0; n-- {
		if bytes.HasSuffix(h.buf[:h.n], sync[:n]) {
			return n
		}
	}
	return 0
}

// advance takes the bytes of a step, which have come.
func (h *Handshake) advance(send []byte) ([]byte, error) {
	got := h.buf[:h.n]
	switch h.step {
	case forKey:
		theirs := parseNumber(got)
		if !theirs.valid() {
			return nil, ErrKey
		}
		h.shared = secretOf(&theirs, h.private())
		h.secret = h.shared[:]
		if h.answers {
			send = h.appendKey(send)
			h.step, h.sync, h.syncLen = forSync, digest("req1", h.secret), hashLen
			if h.shared[0] == 0 {
				h.short = digest("req1", bytes.TrimLeft(h.secret, "\x00"))
			}
		} else {
			send = h.appendOffer(send)
		}
	case forSync:
		if h.wants() > 0 {
			return send, nil
		}
		h.step = forHead
		if h.answers {
			h.step = forTorrent
		}
		if h.short != [hashLen]byte{} && bytes.HasSuffix(got, h.short[:]) {
			short := bytes.TrimLeft(h.secret, "\x00")
			h.secret = h.shared[:copy(h.shared[:], short)]
			clear(h.shared[len(h.secret):])
		}
	case forTorrent:
		mask := digest("req3", h.secret)
		subtle.XORBytes(h.key[:], got, mask[:])
		h.step = forAnswer
	case forHead:
		h.in.XORKeyStream(got, got)
		if err := h.head(got); err != nil {
			return nil, err
		}
	case forPad:
		h.in.XORKeyStream(got, got)
		h.step = finished
		if h.answers {
			h.step = forInitial
		}
	case forInitial:
		h.in.XORKeyStream(got, got)
		h.expected = int(binary.BigEndian.Uint16(got))
		send = h.appendChoice(send)
		h.step = finished
	}
	h.n = 0
	return send, nil
}

// head takes the methods that the other side offers, or the one that it has
// chosen, and the length of the pad behind them.
func (h *Handshake) head(b []byte) error {
	if h.answers {
		if [checkLen]byte(b) != [checkLen]byte{} {
			return ErrCheck
		}
		b = b[checkLen:]
	}
	theirs := Methods(binary.BigEndian.Uint32(b))
	common := theirs & h.methods
	switch {
	case !h.answers && theirs != common:
		return ErrMethod // chosen, and not offered
	case common == Plaintext, common == RC4:
	case h.answers && common&Plaintext != 0:
		common = Plaintext // the cheaper one
	default:
		return ErrMethod
	}
	h.methods = common
	if h.pad = int(binary.BigEndian.Uint16(b[4:])); h.pad > maxPad {
		return ErrPadding
	}
	h.step = forPad
	return nil
}

func (h *Handshake) private() *[privateLen]byte { return (*[privateLen]byte)(h.random[:]) }

// padLen is the length of our first or second pad.
func (h *Handshake) padLen(which int) int {
	return int(binary.BigEndian.Uint16(h.random[privateLen+2*which:])) % (maxPad + 1)
}

func (h *Handshake) appendKey(send []byte) []byte {
	public := publicKey(h.private())
	pad := h.random[RandomLen-maxPad:]
	return append(append(send, public[:]...), pad[:h.padLen(0)]...)
}

// appendOffer appends all that the side that dialled says after the keys.
func (h *Handshake) appendOffer(send []byte) []byte {
	key, mask := TorrentKey(h.infoHash), digest("req3", h.secret)
	subtle.XORBytes(key[:], key[:], mask[:])
	sync := digest("req1", h.secret)
	send = append(append(send, sync[:]...), key[:]...)
	h.out, h.in = newCipher("keyA", &h.shared, &h.infoHash), newCipher("keyB", &h.shared, &h.infoHash)

	clear := len(send)
	send = h.appendHead(send)
	send = binary.BigEndian.AppendUint16(send, uint16(len(h.initial)))
	send = append(send, h.initial...)
	h.out.XORKeyStream(send[clear:], send[clear:])

	// Their check value is looked for as it comes, encrypted: what is padding
	// must not move the cipher on.
	h.sync = [hashLen]byte{}
	h.in.XORKeyStream(h.sync[:checkLen], h.sync[:checkLen])
	h.step, h.syncLen = forSync, checkLen
	return send
}

// appendChoice appends all that the side that answers says after the keys.
func (h *Handshake) appendChoice(send []byte) []byte {
	clear := len(send)
	send = h.appendHead(send)
	h.out.XORKeyStream(send[clear:], send[clear:])
	return send
}

// appendHead appends the check value, the methods, and a pad of zeros.
func (h *Handshake) appendHead(send []byte) []byte {
	send = append(send, make([]byte, checkLen)...)
	send = binary.BigEndian.AppendUint32(send, uint32(h.methods))
	pad := h.padLen(1)
	send = binary.BigEndian.AppendUint16(send, uint16(pad))
	return append(send, make([]byte, pad)...)
}
