package actors_test

import (
	"io"
	"net"
	"net/netip"
	"testing"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
	"kouzui/wire/frame"
)

// A peer may send its peer id only after it has our handshake, whoever has
// dialled. It is answered when it has named the torrent, and is a peer like any
// other when its id has come.
func TestPeersMaySendTheirPeerIDLast(t *testing.T) {
	torrent, _ := stage.Torrent(t, 100_000, 32<<10)
	theirs := frame.Handshake{InfoHash: torrent.InfoHash, PeerID: [20]byte{1, 2, 3}}
	theirs.Offer(frame.FeatureExtensions)
	converse := func(t *testing.T, conn net.Conn) {
		defer conn.Close()
		whole := theirs.Append(nil)
		if _, err := conn.Write(whole[:frame.HashKnownLen]); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, frame.HandshakeLen)
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatal(err)
		}
		if h, err := frame.ParseHandshake(answer); err != nil || h.InfoHash != torrent.InfoHash || !h.Has(frame.FeatureExtensions) {
			t.Errorf("%+v, %v", h, err)
		}
		if _, err := conn.Write(whole[frame.HashKnownLen:]); err != nil {
			t.Fatal(err)
		}
		var first [6]byte // the extended handshake
		if _, err := io.ReadFull(conn, first[:]); err != nil || first[4] != byte(frame.Extended) || first[5] != 0 {
			t.Errorf("%v, %v", first, err)
		}
	}
	t.Run("it dials", func(t *testing.T) {
		n := start(t, actors.Options{Listen: "127.0.0.1:0"})
		n.add(torrent, messages.TorrentOptions{Dir: t.TempDir()})
		conn, err := net.Dial("tcp", await(n, func(*messages.ListenerReady) bool { return true }).Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		converse(t, conn)
	})
	t.Run("we dial", func(t *testing.T) {
		socket, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		n := start(t, actors.Options{})
		n.add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{netip.MustParseAddrPort(socket.Addr().String())}})
		conn, err := socket.Accept()
		if err != nil {
			t.Fatal(err)
		}
		converse(t, conn)
	})
}
