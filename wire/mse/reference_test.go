package mse

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	reference "github.com/anacrolix/torrent/mse"
)

// TestReference shakes hands with another implementation, in both directions
// and by each method, and then talks both ways.
func TestReference(t *testing.T) {
	for name, c := range map[string]struct {
		dials   bool // we do
		methods Methods
	}{
		"we dial, RC4":         {true, RC4},
		"we dial, plaintext":   {true, Plaintext},
		"we answer, RC4":       {false, RC4},
		"we answer, plaintext": {false, Plaintext},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer theirs.Close()
			e := &end{torrent: torrent, says: []byte("said by us")}
			failed := make(chan error, 2)
			go func() {
				rw, _, err := refer(theirs, !c.dials, reference.CryptoMethod(c.methods))
				if err == nil {
					_, err = rw.Write([]byte("said by them"))
				}
				heard := make([]byte, len(e.says))
				if err == nil {
					_, err = io.ReadFull(rw, heard)
				}
				if err == nil && !bytes.Equal(heard, e.says) {
					t.Errorf("they heard %q", heard)
				}
				failed <- err
			}()
			var send []byte
			if e.Answer(c.methods, fixed(0x15)); c.dials {
				send = e.Dial(torrent, c.methods, nil, fixed(1), nil)
			}
			out := make(chan []byte, 10)
			defer close(out)
			go func() { // a pipe has no room, and both sides may write at a time
				for b := range out {
					_, _ = ours.Write(b)
				}
			}()
			for room := make([]byte, 100); string(e.said) != "said by them"; {
				out <- send
				n, err := ours.Read(room)
				if err != nil {
					t.Fatalf("%v; heard %q", err, e.said)
				}
				if send, err = e.takes(room[:n]); err != nil {
					t.Fatal(err)
				}
			}
			out <- send
			if err := <-failed; err != nil || e.Method() != c.methods {
				t.Errorf("%v, method %d", err, e.Method())
			}
		})
	}
}

func refer(conn io.ReadWriter, dials bool, method reference.CryptoMethod) (io.ReadWriter, reference.CryptoMethod, error) {
	if dials {
		return reference.InitiateHandshake(conn, torrent[:], nil, method)
	}
	keys := func(each func([]byte) bool) { each(torrent[:]) }
	return reference.ReceiveHandshake(context.Background(), conn, keys, func(reference.CryptoMethod) reference.CryptoMethod { return method })
}
