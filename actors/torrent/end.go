package torrent

import (
	"time"

	"kouzui/messages"
)

// maxEnd bounds how long the end of a torrent takes, whoever does not answer.
const maxEnd = 2500 * time.Millisecond

// end begins the end: what is being written is finished, connections are closed
// and trackers are told. The client has the last word once all have answered.
// Without metainfo no data has moved: connections are closed with the engine.
func (s *state) end(failure error) {
	if s.ending {
		return
	}
	s.ending, s.failure = true, failure
	s.endBy = s.now.Add(maxEnd)
	if s.to.engine != nil && s.torrent != nil {
		s.awaited += 2
		s.tellEngine(&messages.Flush{ReplyTo: s.to.self})
		s.tellEngine(&messages.CloseConnections{ReplyTo: s.to.self})
	}
	s.awaited += s.stopAnnouncing()
	s.report()
}

func (s *state) flushed(m *messages.Flushed) {
	if m.Err != nil && s.failure == nil && !s.complete {
		s.failure = m.Err
	}
	s.answered()
}

func (s *state) connectionsClosed(m *messages.ConnectionsClosed) {
	s.last = s.counts.total(m.Last)
	s.answered()
}

func (s *state) answered() {
	if s.awaited > 0 {
		s.awaited--
		s.report()
	}
}

// report tells the client, once nothing is waited for, how the torrent ended.
// The client then stops it.
func (s *state) report() {
	if !s.ending || s.awaited > 0 || s.reported {
		return
	}
	s.reported = true
	s.last.State = messages.StateStopped
	if s.failure != nil {
		s.tellClient(&messages.TorrentFailed{InfoHash: s.hash, Err: s.failure, Last: s.last})
		return
	}
	s.tellClient(&messages.TorrentDone{InfoHash: s.hash, Complete: s.complete, Last: s.last})
}
