package torrent

import (
	"time"

	"kouzui/messages"
)

// maxEnd bounds how long a torrent waits for answers when it ends.
const maxEnd = 2500 * time.Millisecond

// end begins the end: the store finishes what is being written, peers close
// their connections, trackers announce `stopped`. The supervisor is told once
// all have answered. Without metainfo there is no store, and no scheduler to
// count what moved: connections are closed with the engine.
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
	s.search()
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

// report tells the supervisor how the torrent ended, once no answer is waited
// for. The supervisor then stops the torrent.
func (s *state) report() {
	if !s.ending || s.awaited > 0 || s.reported {
		return
	}
	s.reported = true
	s.last.State = messages.StateStopped
	if s.failure != nil {
		s.out.Send(s.to.supervisor, &messages.TorrentFailed{InfoHash: s.hash, Err: s.failure, Last: s.last})
		return
	}
	s.out.Send(s.to.supervisor, &messages.TorrentDone{InfoHash: s.hash, Complete: s.complete, Last: s.last})
}
