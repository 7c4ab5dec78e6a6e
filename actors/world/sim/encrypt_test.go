package sim

import (
	"errors"
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/frame"
	"kouzui/wire/mse"
)

// greets has two new links exchange handshakes, and tells how that ends at the
// end that was dialled.
func greets(t *testing.T, out, in messages.Encryption, says frame.Handshake) (ours, theirs *end, err error) {
	t.Helper()
	s := New(1, nil)
	ours, theirs, _, _ = pair(t, s, Class{Delay: time.Millisecond}, Class{})
	ours.link.Encrypt(out)
	theirs.link.Encrypt(in)
	err = errors.New("nothing was heard")
	met := 0
	ours.link.SendHandshake(says)
	ours.link.ReadHandshake(time.Minute, nil, func(_ frame.Handshake, failed error) {
		if failed == nil {
			met++
		}
	})
	theirs.link.ReadHandshake(time.Minute, nil, func(h frame.Handshake, failed error) {
		if err = failed; failed != nil {
			theirs.link.Close(failed)
			return
		}
		if h != says {
			t.Errorf("heard %+v", h)
		}
		met++
		theirs.link.SendHandshake(frame.Handshake{InfoHash: says.InfoHash})
		theirs.send(10)
	})
	_ = s.Run(5*time.Minute, func() bool { return false })
	if err == nil && (met != 2 || ours.bytes == 0) {
		t.Errorf("%d have met, %d bytes have come", met, ours.bytes)
	}
	ours.link.Close(nil)
	_ = s.Run(time.Minute, func() bool { return false })
	return ours, theirs, err
}

// TestEncryptedLinks: the real state machine decides who gets a connection,
// whatever follows.
func TestEncryptedLinks(t *testing.T) {
	wanted := [20]byte{1, 2, 3}
	find := func(key [20]byte, answer func([20]byte, bool)) { answer(wanted, key == mse.TorrentKey(wanted)) }
	to := func(methods mse.Methods) messages.Encryption {
		return messages.Encryption{Methods: methods, InfoHash: wanted, Find: find}
	}
	required := messages.Encryption{Methods: mse.RC4, Find: find, Required: true}
	any := mse.Plaintext | mse.RC4
	for name, c := range map[string]struct {
		out, in messages.Encryption
		says    [20]byte
		want    messages.Encrypted
		err     error
	}{
		"plaintext":                  {to(any), to(any), wanted, messages.EncryptedHandshake, nil},
		"RC4":                        {to(any), required, wanted, messages.EncryptedAll, nil},
		"nothing":                    {messages.Encryption{}, to(any), wanted, messages.EncryptedNothing, nil},
		"no common method":           {to(mse.Plaintext), required, wanted, 0, mse.ErrMethod},
		"in plain where it may not":  {messages.Encryption{}, required, wanted, 0, errInPlain},
		"encrypted where it may not": {to(any), messages.Encryption{}, wanted, 0, new(frame.ProtocolError)},
		"another torrent":            {to(any), to(any), [20]byte{9}, 0, errAnother},
		"an unknown torrent": {
			messages.Encryption{Methods: any, InfoHash: [20]byte{9}}, to(any), [20]byte{9}, 0, errUnfound,
		},
	} {
		ours, theirs, err := greets(t, c.out, c.in, frame.Handshake{InfoHash: c.says, PeerID: [20]byte{1}})
		violation := new(frame.ProtocolError)
		if !errors.Is(err, c.err) && !(errors.As(c.err, &violation) && errors.As(err, &violation)) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if a, b := ours.link.Encrypted(), theirs.link.Encrypted(); err == nil && (a != c.want || b != c.want) {
			t.Errorf("%s: %v, %v; want %v", name, a, b, c.want)
		}
	}
}
