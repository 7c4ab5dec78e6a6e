package processes

import (
	"io"
	"os"
	"path/filepath"

	"github.com/bits-and-blooms/bitset"

	"kouzui/cmd/internal/noise"
	"kouzui/wire/metainfo"
)

// newContent makes the torrent of a swarm, of one file. Its data depends on the
// seed.
func (s *swarm) newContent(tracker string) (err error) {
	s.content, err = noise.New(s.home, "seed-"+number(s.Seed), int64(s.Scenario.Piece), []metainfo.FileSpec{{Length: int64(s.Scenario.Content)}}, tracker)
	return err
}

// lay puts pieces into the folder of a node: all of them as a second name of
// the data, which a seed does not write; others as a file with holes.
func (s *swarm) lay(folder string, pieces *bitset.BitSet) error {
	switch {
	case pieces.None():
		return nil
	case pieces.All():
		return s.content.Link(folder)
	}
	info := s.content.Info
	from, err := os.Open(filepath.Join(s.content.Dir, info.Name))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(filepath.Join(folder, info.Name))
	if err != nil {
		return err
	}
	defer to.Close()
	if err := to.Truncate(info.Length); err != nil {
		return err
	}
	for piece := range pieces.EachSet() {
		at := int64(piece) * info.PieceLength
		if _, err := io.Copy(io.NewOffsetWriter(to, at), io.NewSectionReader(from, at, info.PieceSize(int(piece)))); err != nil {
			return err
		}
	}
	return to.Close()
}
