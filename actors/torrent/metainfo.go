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
	s.last.Name, s.last.State, s.last.Metadata = t.Name, messages.StateStarting, messages.MetadataProgress{}
	s.last.Pieces, s.last.Length, s.last.Left = t.PieceCount(), t.Length, t.Length
	s.fitWanted()
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
	if s.goals.options.MetadataOnly {
		s.complete = true
		s.end(nil)
		return
	}
	if wanted := s.updates.wanted; wanted != nil {
		if err := s.fits(wanted.Choice, m.Torrent); err != nil {
			s.end(err)
			return
		}
	}
	s.know(m.Torrent)
	s.out.stopMetadata = s.to.metadata != nil
	s.goals.movedAt = s.now
	s.updates.metainfo = m
	s.tellEngine(s.publicity())
	s.tellMetainfo()
	s.tellMemory()
	s.search()
}

// metadataFound takes an info dictionary whose hash is right.
func (s *state) metadataFound(m *messages.MetadataFound) {
	if s.torrent != nil || s.ending {
		return
	}
	t, err := metainfo.ParseInfo(m.Info)
	if err != nil {
		s.end(fmt.Errorf("what peers have told of the torrent cannot be used: %w", err))
		return
	}
	t.Announce, t.WebSeeds = s.given, s.goals.options.LinkWebSeeds
	s.tellSession(&messages.TorrentMetainfoFound{Torrent: t})
	s.setMetainfo(&messages.SetMetainfo{Torrent: t})
}

// ifPrivate is why peers may never offer the metadata: they tell that of no
// private torrent (BEP 27), and nothing shows whether a torrent is one before
// its metadata is there.
const ifPrivate = " If the torrent is private, none will: use its .torrent."

// whyNoMetadata says what the metainfo is waited for; "": it comes.
func (s *state) whyNoMetadata() string {
	if s.metadata.Received > 0 {
		return ""
	}
	wrong := ""
	switch failed := s.metadata.Failed; {
	case failed == 1:
		wrong = " One copy has come, and its hash was wrong."
	case failed > 1:
		wrong = fmt.Sprintf(" %d copies have come, and their hashes were wrong.", failed)
	}
	switch peers, offers := max(s.last.Peers, s.metadata.Peers), s.metadata.Peers; {
	case peers == 0:
		return "No peer is connected that could tell what is in the torrent." + wrong
	case peers == 1 && offers == 0:
		return "1 peer, which has not told us the metadata." + wrong + ifPrivate
	case offers == 0:
		return fmt.Sprintf("%d peers, none of which has told us the metadata.", peers) + wrong + ifPrivate
	case peers == 1:
		return "1 peer, which offers the metadata and has not sent it yet." + wrong
	default:
		return fmt.Sprintf("%d peers, of which %d offer the metadata, and none has sent it yet.", peers, offers) + wrong
	}
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
	p.At, p.State, p.Metadata, p.Why = s.now, messages.StateMetadata, s.metadata, s.whyNoMetadata()
	s.progress(&p)
}
