package mse

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// torrent has the info hash of the vectors.
var torrent = [20]byte(bytes.Repeat([]byte{0xaa}, 20))

// fixed are random bytes whose private key counts up, with no padding.
func fixed(first byte) *[RandomLen]byte {
	var r [RandomLen]byte
	for i := range privateLen {
		r[i] = first + byte(i)
	}
	return &r
}

// TestVectors holds every message of a handshake without padding against
// figures that another implementation has computed.
func TestVectors(t *testing.T) {
	var a, b Handshake
	starts := func(what string, got []byte, want string) {
		t.Helper()
		if !bytes.HasPrefix(got, decode(t, want)) {
			t.Errorf("%s: %x, want %s", what, got[:min(len(got), 24)], want)
		}
	}
	b.Answer(RC4, fixed(0x15))
	ya := a.Dial(torrent, RC4, nil, fixed(1), nil)
	starts("Ya", ya, "96e112dab29e8c52")
	_, yb, err := b.Receive(ya, nil)
	if err != nil {
		t.Fatal(err)
	}
	starts("Yb", yb, "a3e981e821087e74")
	_, offer, err := a.Receive(yb, nil)
	if err != nil {
		t.Fatal(err)
	}
	starts("S of A", a.secret, "994aac6c359990cf")
	starts("S of B", b.secret, "994aac6c359990cf")
	starts("req1", offer, "83c8d8a3d91a5bf40d723666c4258731c8427ccb")
	starts("req2 xor req3", offer[20:], "4a278249411ccc527bb5e8d3a33af2a69725a1fc")
	starts("VC of A", offer[40:], "0327b6d211c82d49")
	rest, _, err := b.Receive(offer, nil)
	if key, sought := b.Sought(); err != nil || !sought || key != TorrentKey(torrent) {
		t.Fatalf("sought %x, %v, %v", key, sought, err)
	}
	b.Found(torrent)
	_, choice, err := b.Receive(rest, nil)
	if err != nil || !b.Done() {
		t.Fatalf("B is done: %v, %v", b.Done(), err)
	}
	starts("VC of B", choice, "06d0d8359370f45e")
	if _, _, err := a.Receive(choice, nil); err != nil || !a.Done() {
		t.Fatalf("A is done: %v, %v", a.Done(), err)
	}
	keyA, keyB := digest("keyA", a.secret, torrent[:]), digest("keyB", a.secret, torrent[:])
	starts("key A", keyA[:], "31d9009cff2c45e3be00d3d9ec6e4b32d0f06816")
	starts("key B", keyB[:], "84d32166978da3995739ffd976056af14dbb048e")
}

func decode(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// end is a side of a connection in tests, as a caller has to run it.
type end struct {
	Handshake
	in, out Cipher
	said    []byte // what the other side has said behind the handshake
	says    []byte // what this side says behind the handshake
	torrent [20]byte
	over    bool
}

// takes hands bytes to one side, and returns what that side sends.
func (e *end) takes(b []byte) (send []byte, err error) {
	for !e.over {
		if b, send, err = e.Receive(b, send); err != nil {
			return nil, err
		}
		if _, sought := e.Sought(); sought {
			e.Found(e.torrent)
			continue
		}
		if !e.Done() {
			return send, nil
		}
		e.over = true
		e.in, e.out = e.Ciphers()
		says := slices.Clone(e.says)
		e.out.XOR(says)
		send = append(send, says...)
	}
	b = slices.Clone(b)
	e.in.XOR(b)
	e.said = append(e.said, b...)
	return send, nil
}

func random(t *rapid.T, what string) *[RandomLen]byte {
	var r [RandomLen]byte
	copy(r[:], rapid.SliceOfN(rapid.Byte(), RandomLen, RandomLen).Draw(t, what))
	if rapid.Bool().Draw(t, what+" pads in full") {
		r[privateLen], r[privateLen+1] = 2, 0
		r[privateLen+2], r[privateLen+3] = 2, 0
	}
	return &r
}

// TestBothSidesUnderstandEachOther: whatever the keys, pads and methods are,
// and however the bytes are cut on their way, each side hears exactly what the
// other one says behind the handshake.
func TestBothSidesUnderstandEachOther(t *testing.T) {
	methods := rapid.SampledFrom([]Methods{Plaintext, RC4, Plaintext | RC4})
	payload := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		offers, takes := methods.Draw(t, "offers"), methods.Draw(t, "takes")
		initial := payload.Draw(t, "initial")
		a := &end{says: payload.Draw(t, "a says"), torrent: torrent}
		b := &end{says: payload.Draw(t, "b says"), torrent: torrent}
		b.Answer(takes, random(t, "b"))
		toB, toA := a.Dial(torrent, offers, initial, random(t, "a"), nil), []byte(nil)
		for len(toA)+len(toB) > 0 {
			for _, way := range []struct {
				from, to *[]byte
				side     *end
			}{{&toB, &toA, b}, {&toA, &toB, a}} {
				if len(*way.from) == 0 {
					continue
				}
				n := rapid.IntRange(1, len(*way.from)).Draw(t, "piece")
				least := way.side.Least()
				reply, err := way.side.takes((*way.from)[:n])
				if offers&takes == 0 && errors.Is(err, ErrMethod) {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if way.side.over && n < least {
					t.Fatalf("done after %d bytes, and %d were the least", n, least)
				}
				*way.from, *way.to = (*way.from)[n:], append(*way.to, reply...)
			}
		}
		want := Plaintext
		if offers&takes&Plaintext == 0 {
			want = RC4
		}
		if !a.over || !b.over || a.Method() != want || b.Method() != want {
			t.Fatalf("over: %v, %v; methods %d, %d, want %d", a.over, b.over, a.Method(), b.Method(), want)
		}
		if !bytes.Equal(a.said, b.says) || !bytes.Equal(b.said, slices.Concat(initial, a.says)) {
			t.Fatalf("a heard %q of %q, b heard %q of %q and %q", a.said, b.says, b.said, initial, a.says)
		}
	})
}

// TestLeastReadsNothingThatFollows: whoever reads Least bytes at a time has
// read nothing behind the handshake when it is done, and reads seldom.
func TestLeastReadsNothingThatFollows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a, b Handshake
		b.Answer(RC4, random(t, "b"))
		toB := a.Dial(torrent, RC4, []byte("initial"), random(t, "a"), nil)
		reads := 0
		feed := func(h *Handshake, in []byte) (rest, reply []byte) {
			for len(in) > 0 && !h.Done() {
				n := min(h.Least(), len(in))
				over, send, err := h.Receive(in[:n], reply)
				if err != nil {
					t.Fatal(err)
				}
				reply, in, reads = send, in[n-len(over):], reads+1
				if _, sought := h.Sought(); sought {
					h.Found(torrent)
				} else if len(over) > 0 {
					t.Fatalf("%d bytes were read too many", len(over))
				}
			}
			return in, reply
		}
		_, toA := feed(&b, toB)
		_, toB = feed(&a, toA)
		rest, toA := feed(&b, toB)
		if len(rest) != len("initial") {
			t.Fatalf("%d bytes are left for who reads on, want %d", len(rest), len("initial"))
		}
		if rest, _ := feed(&a, toA); len(rest) > 0 || !a.Done() || reads > 120 {
			t.Fatalf("%d bytes are left, done %v, %d reads", len(rest), a.Done(), reads)
		}
	})
}

// TestLeadingZerosOfTheSecret: rtorrent leaves them out where it dials, and
// what it says is understood all the same.
func TestLeadingZerosOfTheSecret(t *testing.T) {
	ours := fixed(0x15)
	for first := range 1 << 16 {
		theirs := fixed(1)
		theirs[0], theirs[1] = byte(first), byte(first>>8)
		public := publicKey((*[privateLen]byte)(theirs[:]))
		secret := secretOf(new(parseNumber(public[:])), (*[privateLen]byte)(ours[:]))
		if secret[0] != 0 {
			continue
		}
		for name, s := range map[string][]byte{"kept": secret[:], "left out": bytes.TrimLeft(secret[:], "\x00")} {
			sync, mask, key := digest("req1", s), digest("req3", s), TorrentKey(torrent)
			for i := range key {
				key[i] ^= mask[i]
			}
			says := []byte{11: byte(RC4), 15: 5, 16: 'h', 17: 'e', 18: 'l', 19: 'l', 20: 'o'}
			var shared [keyLen]byte
			copy(shared[:], s)
			newCipher("keyA", &shared, &torrent).XORKeyStream(says, says)
			all := slices.Concat(public[:], make([]byte, 100), sync[:], key[:], says)
			for _, cut := range []int{1, 10, len(all)} {
				e := &end{torrent: torrent}
				e.Answer(RC4, ours)
				for b := range slices.Chunk(all, cut) {
					if _, err := e.takes(b); err != nil {
						t.Fatalf("%s, cut to %d: %v", name, cut, err)
					}
				}
				if string(e.said) != "hello" {
					t.Errorf("%s, cut to %d: heard %q", name, cut, e.said)
				}
			}
		}
		return
	}
	t.Fatal("no secret begins with a zero")
}

// TestHostileHandshakes: each ends with its error, however much comes.
func TestHostileHandshakes(t *testing.T) {
	key := func(n number) []byte {
		var b [keyLen]byte
		n.put(&b)
		return b[:]
	}
	below := prime
	below[0]--
	var highest number
	for i := range highest {
		highest[i]--
	}
	public := publicKey((*[privateLen]byte)(fixed(1)[:]))
	secret := secretOf(new(parseNumber(public[:])), (*[privateLen]byte)(fixed(0x15)[:]))
	// offer is what the side that dialled says after the keys, of which change
	// spoils what is encrypted.
	offer := func(change func([]byte) []byte) []byte {
		sync, mask, name := digest("req1", secret[:]), digest("req3", secret[:]), TorrentKey(torrent)
		for i := range name {
			name[i] ^= mask[i]
		}
		head := change([]byte{8: 0, 9: 0, 10: 0, 11: byte(RC4), 12: 0, 13: 0, 14: 0, 15: 0})
		newCipher("keyA", &secret, &torrent).XORKeyStream(head, head)
		return slices.Concat(public[:], sync[:], name[:], head)
	}
	at := func(i int, to byte) func([]byte) []byte {
		return func(b []byte) []byte { b[i] = to; return b }
	}
	for name, c := range map[string]struct {
		dialled bool // the side that is attacked
		sends   []byte
		want    error
	}{
		"key 0":                         {false, key(number{}), ErrKey},
		"key 1":                         {false, key(number{1}), ErrKey},
		"key P-1":                       {true, key(below), ErrKey},
		"key P":                         {true, key(prime), ErrKey},
		"highest key":                   {false, key(highest), ErrKey},
		"endless padding":               {false, slices.Concat(public[:], make([]byte, 1<<20)), ErrNoSync},
		"a check value that never is":   {true, slices.Concat(public[:], make([]byte, 1<<20)), ErrNoSync},
		"wrong check value":             {false, offer(at(0, 1)), ErrCheck},
		"no method that we know":        {false, offer(at(11, 4)), ErrMethod},
		"no method that we take":        {false, offer(at(11, 1)), ErrMethod},
		"a pad of more than 512 bytes":  {false, offer(at(12, 3)), ErrPadding},
		"a pad of 65535 bytes":          {false, offer(func(b []byte) []byte { b[12], b[13] = 255, 255; return b }), ErrPadding},
		"65535 bytes of initial":        {false, offer(func(b []byte) []byte { b[14], b[15] = 255, 255; return b }), nil},
		"nothing wrong":                 {false, offer(func(b []byte) []byte { return b }), nil},
		"the highest of keys in hiding": {false, slices.Concat(make([]byte, keyLen-1), []byte{2}, make([]byte, maxPad+hashLen)), ErrNoSync},
	} {
		for _, cut := range []int{1, 7, 1 << 21} {
			e := &end{torrent: torrent}
			if e.Answer(RC4, fixed(0x15)); c.dialled {
				e.Dial(torrent, RC4, nil, fixed(1), nil)
			}
			var err error
			for b := range slices.Chunk(c.sends, cut) {
				if _, err = e.takes(b); err != nil {
					break
				}
			}
			if !errors.Is(err, c.want) || err == nil && !e.Done() {
				t.Errorf("%s, cut to %d: %v, want %v", name, cut, err, c.want)
			}
		}
	}
}

// TestChoicesThatWereNotOffered: the side that dialled takes one method that it
// has offered, and no other.
func TestChoicesThatWereNotOffered(t *testing.T) {
	for offers, choices := range map[Methods]map[uint32]bool{
		Plaintext:       {0: false, 1: true, 2: false, 3: false, 4: false, 1 << 31: false},
		RC4:             {0: false, 1: false, 2: true, 3: false, 6: false},
		Plaintext | RC4: {0: false, 1: true, 2: true, 3: false, 5: false},
	} {
		for choice, fine := range choices {
			h := Handshake{methods: offers}
			err := h.head([]byte{byte(choice >> 24), 0, 0, byte(choice), 0, 0})
			if fine != (err == nil) || err != nil && !errors.Is(err, ErrMethod) {
				t.Errorf("%d of %d: %v", choice, offers, err)
			}
		}
	}
}

// FuzzHandshake: whatever comes, in whatever pieces, a side ends with an error
// or waits, within the memory that it has.
func FuzzHandshake(f *testing.F) {
	public := publicKey((*[privateLen]byte)(fixed(1)[:]))
	f.Add(false, byte(10), public[:])
	f.Add(true, byte(200), append(public[:], make([]byte, 600)...))
	f.Fuzz(func(t *testing.T, dialled bool, cut byte, in []byte) {
		e := &end{torrent: torrent}
		if e.Answer(Plaintext|RC4, fixed(0x15)); dialled {
			e.Dial(torrent, Plaintext|RC4, nil, fixed(1), nil)
		}
		for b := range slices.Chunk(in, int(cut)+1) {
			least := e.Least()
			send, err := e.takes(b)
			if err != nil {
				return
			}
			if len(send) > 2*MaxReply || !e.over && (least < 1 || e.Least() < 1) {
				t.Fatalf("%d bytes are sent; %d and then %d have to come", len(send), least, e.Least())
			}
		}
	})
}

// BenchmarkHandshake is what one side costs: the figures are those of both.
func BenchmarkHandshake(b *testing.B) {
	var x, y Handshake
	ra, rb := fixed(1), fixed(0x15)
	room, other := make([]byte, 0, 4096), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		y.Answer(RC4, rb)
		send := x.Dial(torrent, RC4, nil, ra, room[:0])
		_, reply, _ := y.Receive(send, other[:0])
		_, send, _ = x.Receive(reply, room[:0])
		rest, _, _ := y.Receive(send, nil)
		y.Found(torrent)
		_, reply, _ = y.Receive(rest, other[:0])
		if _, _, err := x.Receive(reply, nil); err != nil || !x.Done() {
			b.Fatal(err)
		}
	}
}

// BenchmarkCipher is what RC4 costs of a block.
func BenchmarkCipher(b *testing.B) {
	block := make([]byte, 16<<10)
	c := Cipher{rc4: newCipher("keyA", &[keyLen]byte{}, &torrent)}
	b.SetBytes(int64(len(block)))
	b.ReportAllocs()
	for b.Loop() {
		c.XOR(block)
	}
}
