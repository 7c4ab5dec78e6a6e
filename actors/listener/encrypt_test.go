package listener

import (
	"io"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/mse"
)

// An encrypted handshake is told its torrent by a key. Before the routes have
// come, it waits for them.
func TestEncryptedHandshakesFindTheirTorrent(t *testing.T) {
	s := perform(t, ":0")
	l := s.bind("")
	torrent := s.StartProbe("torrent")
	type answer struct {
		infoHash [20]byte
		found    bool
	}
	seek := func(infoHash [20]byte) chan answer {
		link := l.Accept(remote)
		s.Settle()
		answers := make(chan answer, 1)
		link.Encryption().Find(mse.TorrentKey(infoHash), func(infoHash [20]byte, found bool) { answers <- answer{infoHash, found} })
		s.Settle()
		t.Cleanup(func() { link.Close(io.EOF) })
		return answers
	}
	early, never := seek(ours.InfoHash), seek([20]byte{2})
	if len(early)+len(never) > 0 {
		t.Fatal("answered before the routes are there")
	}
	s.route(torrent)
	s.Tell(&messages.RefuseUnrouted{})
	found := answer{ours.InfoHash, true}
	if a, b := <-early, <-never; a != found || b.found {
		t.Errorf("before the routes: %v, %v", a, b)
	}
	if a, b := <-seek(ours.InfoHash), <-seek([20]byte{2}); a != found || b.found {
		t.Errorf("with the routes: %v, %v", a, b)
	}
	s.route(nil)
	if a := <-seek(ours.InfoHash); a.found {
		t.Error("the route has ended, and the torrent is found")
	}
	s.route(torrent)
	s.Stop(torrent)
	if a := <-seek(ours.InfoHash); a.found {
		t.Error("the torrent has ended, and is found")
	}
}

// What is asked of a connection that comes in follows from the user's policy.
func TestEncryptionOfConnectionsThatComeIn(t *testing.T) {
	for policy, want := range map[messages.EncryptionPolicy]messages.Encryption{
		messages.AllowEncryption:   {Methods: mse.Plaintext | mse.RC4},
		messages.PreferEncryption:  {Methods: mse.Plaintext | mse.RC4},
		messages.RequireEncryption: {Methods: mse.RC4, Required: true},
		messages.NoEncryption:      {},
	} {
		t.Run(string(policy), func(t *testing.T) {
			s := &scene{Stage: stage.New(t), t: t}
			s.client = s.StartProbe("client")
			cfg := Config{World: s.World.World(), Refs: messages.Refs{Session: s.client.PID}, Self: self, Addr: ":0", Encryption: policy}
			s.Perform(func() actor.Actor { return New(cfg) })
			link := s.listen("").Accept(remote)
			s.Settle()
			if e := link.Encryption(); e.Methods != want.Methods || e.Required != want.Required {
				t.Errorf("%+v, want %+v", e, want)
			}
			link.Close(io.EOF)
		})
	}
}
