package actors_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/messages"
)

// TestAWrongBlockIsNeverServed spoils a seed's last piece during a download:
// the seed finds out and goes on with the other pieces, and no wrong block is
// sent. The last piece is wanted once it is spoilt: a seed that is alone tells
// of few pieces, so that one could be fetched first in whatever order.
func TestAWrongBlockIsNeverServed(t *testing.T) {
	noFilesLeft(t)
	torrent, data := stage.Torrent(t, 12<<20+999, 128<<10)
	dir := t.TempDir()
	path := filepath.Join(dir, torrent.Name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	holder := start(t, actors.Options{Listen: "127.0.0.1:0"})
	at := await(holder, func(*messages.ListenerReady) bool { return true }).Addr
	holder.add(torrent, messages.TorrentOptions{Dir: dir, MustExist: true, Seed: true})
	await(holder, seeding)

	butLast := bitset.New(uint(torrent.PieceCount())).Complement().Clear(uint(torrent.PieceCount() - 1))
	n := start(t, actors.Options{Limits: messages.SetLimits{Down: 5 << 20}})
	n.add(torrent, messages.TorrentOptions{Dir: t.TempDir(), Peers: []netip.AddrPort{at}, Wanted: butLast, Seed: true})
	await(n, func(p *messages.Progress) bool { return p.HavePieces > 0 })
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{data[len(data)-1] + 1}, int64(len(data)-1)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}

	n.SetWanted(torrent.InfoHash, nil)

	await(holder, func(*messages.TorrentDataChanged) bool { return true })
	await(holder, func(p *messages.Progress) bool { return p.HavePieces == p.Pieces-1 })
	last := await(n, func(p *messages.Progress) bool { return p.HavePieces == p.Pieces-1 && p.Peers > 0 })
	if last.Corrupt > 0 || last.Restarts > 0 {
		t.Errorf("%d pieces came wrong, %d restarts", last.Corrupt, last.Restarts)
	}
}
