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

// exampleJournal is a journal, side the stamp of the side file.
func exampleJournal(t *metainfo.Torrent, side messages.Stamp) Journal {
	j := Journal{Stamps: make([]messages.Stamp, len(t.Files)), Verified: bitset.New(uint(t.PieceCount()))}
	for i := range j.Stamps {
		j.Stamps[i] = messages.Stamp{Size: t.Files[i].Length, Modified: int64(i) << 40, Changed: int64(i) << 41}
	}
	j.Stamps[0] = files.Absent
	j.Stamps = append(j.Stamps, side)
	for i := uint(0); i < uint(t.PieceCount()); i += 3 {
		j.Verified.Set(i)
	}
	return j
}

func TestJournal(t *testing.T) {
	s := storetest.New(t, 1000, 20_000, 0, 2500)
	t.Run("without a side file", func(t *testing.T) { testJournal(t, s, files.Absent, len(s.Files)) })
	t.Run("with one", func(t *testing.T) { testJournal(t, s, messages.Stamp{Size: 77}, len(s.Files)+1) })
}

func testJournal(t *testing.T, s *storetest.Sample, side messages.Stamp, stamps int) {
	want := exampleJournal(s.Torrent, side)
	raw := want.Encode(s.Torrent)
	if len(raw) != journalSize(s.Torrent, stamps) {
		t.Errorf("%d bytes, said to be %d", len(raw), journalSize(s.Torrent, stamps))
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
	for _, side := range []messages.Stamp{files.Absent, {Size: 77}} {
		raw := exampleJournal(s.Torrent, side).Encode(s.Torrent)
		f.Add(raw[:len(raw)-sha1.Size])
	}
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
