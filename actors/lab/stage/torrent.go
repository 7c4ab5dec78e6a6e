package stage

import (
	"crypto/sha1"
	"math/rand/v2"
	"strings"
	"testing"

	"kouzui/wire/blocklist"
	"kouzui/wire/metainfo"
)

// Torrent makes a torrent of a single file of random bytes, always the same for
// the same arguments, and returns the bytes too. Each tracker is a tier of its
// own.
func Torrent(t testing.TB, length, pieceLength int, trackers ...string) (*metainfo.Torrent, []byte) {
	t.Helper()
	data := make([]byte, length)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(data) // never fails
	var sums []byte
	for at := 0; at < length; at += pieceLength {
		sum := sha1.Sum(data[at:min(at+pieceLength, length)])
		sums = append(sums, sum[:]...)
	}
	var tiers [][]string
	for _, url := range trackers {
		tiers = append(tiers, []string{url})
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: "data", Single: true, PieceLength: int64(pieceLength), Pieces: sums, Announce: tiers,
		Files: []metainfo.FileSpec{{Path: []string{"data"}, Length: int64(length)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	torrent, err := metainfo.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return torrent, data
}

// Blocklist makes a blocklist of these lines.
func Blocklist(t testing.TB, lines ...string) *blocklist.List {
	t.Helper()
	list, _, err := blocklist.Read(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return list
}
