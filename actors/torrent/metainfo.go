package torrent

import (
	"fmt"
	"time"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// reportEvery is how often Progress comes while there is no scheduler to send
// it.
const reportEvery = time.Second

// know notes what is in the torrent.
func (s *state) know(t *metainfo.Torrent) {
	s.torrent = t
	s.last.Name, s.last.State = t.Name, messages.StateStarting
	s.last.Pieces, s.last.Length, s.last.Left = t.PieceCount(), t.Length, t.Length
	s.clipWanted()
	if t.Private {
		s.pause(s.announcing.keepOne())
	}
}

func (s *state) setMetainfo(m *messages.SetMetainfo) {
	if s.torrent != nil || s.ending {
		return
	}
	if m.Torrent.InfoHash != s.hash {
		why := fmt.Sprintf("its info hash is %v, not %v", m.Torrent.InfoHash, s.hash)
		s.out.remarks = append(s.out.remarks, remark{"metainfo_refused", why})
		return
	}
	s.know(m.Torrent)
	s.goals.movedAt = s.now
	s.updates.metainfo = m
	s.tellEngine(s.publicity())
	s.tellMetainfo()
	s.tellMemory()
	s.search()
}

// tellMetainfo tells the engine, and through it peers, the metainfo that was
// not in their configuration.
func (s *state) tellMetainfo() {
	if s.updates.metainfo != nil {
		s.tellEngine(s.updates.metainfo)
	}
}

// peersConnected notes how many connections wait for the metainfo.
func (s *state) peersConnected(n int) {
	if s.torrent == nil {
		s.last.Peers = n
	}
}

// reportMetadata takes the place of the scheduler's Progress.
func (s *state) reportMetadata() {
	// now.Truncate alone would lose the monotonic reading, and the date may jump.
	s.reportAt = s.now.Add(s.now.Truncate(reportEvery).Add(reportEvery).Sub(s.now))
	p := s.last
	p.At, p.State, p.Why = s.now, messages.StateMetadata, "What is in the torrent is not known yet."
	s.progress(&p)
}
