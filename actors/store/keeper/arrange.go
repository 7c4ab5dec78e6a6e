package keeper

import (
	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/store/files"
	"kouzui/wire/metainfo"
)

// copyAtOnce is how many bytes Arrange copies at a time.
const copyAtOnce = 256 << 10

// arrangement is an Arrange under way: what the side file has of files that are
// wanted by now is copied to where it belongs.
type arrangement struct {
	to   *files.Layout
	left []stretch // to be copied
	buf  []byte
}

// stretch is Length bytes of the content at Offset.
type stretch struct{ Offset, Length int64 }

// arrange plans the layout for the files that are wanted: it diverts those that
// are not, unless they exist. It lists what has to be copied before.
func (k *chores) arrange() (done bool) {
	m, now := k.chore, k.Files.Layout()
	diverted := bitset.New(uint(len(k.Torrent.Files)))
	k.arrangement = arrangement{}
	m.Made = nil
	for i := range k.Torrent.Files {
		wanted := m.Wanted == nil || m.Wanted.Test(uint(i))
		switch {
		case now.Padding(i):
		case !wanted:
			diverted.SetTo(uint(i), now.Diverted(i) || k.Files.Absent(i))
		case now.Diverted(i):
			before := len(k.left)
			for _, s := range sideParts(k.Torrent, now, i) {
				if s.Length > 0 && m.Verified.Test(uint(s.Offset/k.Torrent.PieceLength)) {
					k.left = append(k.left, s)
				}
			}
			if len(k.left) > before {
				m.Made = append(m.Made, i)
			}
		}
	}
	k.to = now.Divert(diverted)
	return k.copy()
}

// sideParts are the stretches of a diverted file that the side file has room
// for.
func sideParts(t *metainfo.Torrent, l *files.Layout, file int) [2]stretch {
	f := &t.Files[file]
	head, tail := l.Ends(file)
	return [2]stretch{{f.Offset, head}, {f.Offset + f.Length - tail, tail}}
}

// copy copies what is left, and then has the new layout hold.
func (k *chores) copy() (done bool) {
	for k.disk.Err() == nil && len(k.left) > 0 {
		s := &k.left[0]
		n := min(s.Length, copyAtOnce)
		if k.buf == nil {
			k.buf = make([]byte, copyAtOnce)
		}
		off := s.Offset
		if s.Offset, s.Length = s.Offset+n, s.Length-n; s.Length == 0 {
			k.left = k.left[1:]
		}
		k.disk.Close()
		k.Files.Copy(k.to, k.buf[:n], off, k.disk.Expect())
		if !k.disk.Passed() {
			return false
		}
	}
	if k.chore.Err = k.disk.Err(); k.chore.Err == nil {
		k.Files.SetLayout(k.to)
	}
	k.arrangement = arrangement{}
	return true
}
