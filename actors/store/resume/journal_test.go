package resume

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"github.com/google/go-cmp/cmp"

	"kouzui/actors/store/files"
	"kouzui/actors/store/storetest"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

func exampleJournal(t *metainfo.Torrent) Journal {
	j := Journal{Stamps: make([]messages.Stamp, len(t.Files)), Verified: bitset.New(uint(t.PieceCount()))}
	for i := range j.Stamps {
		j.Stamps[i] = messages.Stamp{Size: t.Files[i].Length, Modified: int64(i) << 40, Changed: int64(i) << 41}
	}
	j.Stamps[0] = files.Absent
	for i := uint(0); i < uint(t.PieceCount()); i += 3 {
		j.Verified.Set(i)
	}
	return j
}

func TestJournal(t *testing.T) {
	s := storetest.New(t, 1000, 20_000, 0, 2500)
	want := exampleJournal(s.Torrent)
	raw := want.Encode(s.Torrent)
	if len(raw) != journalSize(s.Torrent) {
		t.Errorf("%d bytes, said to be %d", len(raw), journalSize(s.Torrent))
	}
	got, err := decodeJournal(s.Torrent, raw)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Stamps, want.Stamps) || !got.Verified.Equal(want.Verified) {
		t.Error(cmp.Diff(got.Verified, want.Verified))
	}
	for i := range raw {
		broken := slices.Clone(raw)
		broken[i] ^= 4
		if _, err := decodeJournal(s.Torrent, broken); err == nil {
			t.Errorf("a wrong byte %d goes unnoticed", i)
		}
		if _, err := decodeJournal(s.Torrent, raw[:i]); err == nil {
			t.Errorf("%d bytes are taken for all of it", i)
		}
	}
}

// No bytes, even with a right sum, make decodeJournal panic or take what Encode
// would not write.
func FuzzJournal(f *testing.F) {
	s := storetest.New(f, 1000, 20_000, 0, 2500)
	raw := exampleJournal(s.Torrent).Encode(s.Torrent)
	f.Add(raw[:len(raw)-sha1.Size])
	f.Add([]byte(journalMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha1.Sum(body)
		raw := append(slices.Clone(body), sum[:]...)
		j, err := decodeJournal(s.Torrent, raw)
		if err == nil && !bytes.Equal(j.Encode(s.Torrent), raw) {
			t.Errorf("%x is taken for %x", raw, j.Encode(s.Torrent))
		}
		if _, err := decodeJournal(s.Torrent, body); err == nil && !bytes.HasPrefix(body, []byte(journalMagic)) {
			t.Error("taken without its head")
		}
	})
}
