package transfer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kouzui"
	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/place"
	"kouzui/wire/metainfo"
)

// handle takes an event of the client.
func (s *session) handle(e any) {
	if m, ok := e.(kouzui.Progress); ok {
		j := s.byHash[m.Status.InfoHash]
		if j != nil && j.progress(&m.Status, time.Now()) {
			j.stop()
		}
		if j != nil && j.refused != nil {
			return // what cannot be seeded is not shown as a download
		}
	}
	s.display.Event(e)
	switch m := e.(type) {
	case kouzui.PeerBanned:
		s.Warn(fmt.Sprintf("the peer at %v is banned: %s", m.Addr, m.Reason))
	case kouzui.WebSeedGivenUp:
		if j := s.byHash[m.Torrent.InfoHash()]; j != nil {
			j.webSeedsGivenUp++
		}
		s.Warn(fmt.Sprintf("the web seed %s is given up: %s", m.Host, m.Reason))
	case kouzui.Blocked:
		s.blocked += m.Count
		s.Log.Info().Int("addresses", m.Count).Bool("inbound", m.Inbound).Msg("blocked")
	case kouzui.MetainfoFound:
		if j := s.byHash[m.Metainfo.InfoHash]; j != nil {
			s.metainfoFound(j, m.Metainfo)
		}
	case kouzui.DataChanged:
		s.Warn(exit.Words(m.Err) + "; the file is checked again")
	case kouzui.Announced:
		s.announced(m)
	case kouzui.Completed:
		if j := s.byHash[m.Status.InfoHash]; j != nil {
			j.last = m.Status
			s.completed(j)
		}
	case kouzui.Ended:
		if j := s.byHash[m.Torrent.InfoHash()]; j != nil && !j.ended {
			j.last = m.Status
			err := m.Err
			if errors.Is(err, kouzui.ErrStopped) {
				err = nil // ended knows why
			}
			s.ended(j, m.Err == nil, err)
		}
	case kouzui.ListenFailed:
		if s.listening {
			s.listening = false // the listener tries again and again: one warning is enough
			s.Warn("other peers cannot connect to us: " + exit.Words(m.Err))
		}
	case kouzui.DHTReported:
		s.Log.Debug().Int("family", 4+2*m.Family).Int("known", m.Known).Int("good", m.Good).Int("lookups", m.Lookups).Msg("DHT")
		s.dht.Report(&m.DHTReport, time.Now())
	case kouzui.SocketFailed:
		if !s.unbound {
			s.unbound = true
			s.Warn(fmt.Sprintf("datagrams (UDP) cannot use %v, and so trackers over UDP and the DHT are out of reach: %s", m.Addr, exit.Words(m.Err)))
		}
	case kouzui.Listening:
		s.listening = true
		s.Log.Info().Stringer("at", m.Addr).Msg("listening")
	case *event.Event:
		if m.Kind == event.Restarted {
			s.restarts++
		}
	}
}

// metainfoFound notes what is in the torrent of a magnet link, and keeps it for
// the next run.
func (s *session) metainfoFound(j *job, t *kouzui.Metainfo) {
	j.found(t)
	s.tellBeginning(j)
	for _, w := range slices.Concat(t.Warnings, t.Unsupported) {
		s.Warn(fmt.Sprintf("%s: %s", metainfo.Clean(t.Name, 200), w))
	}
	if err := load.Keep(t); err != nil {
		s.Warn("what peers have told of the torrent cannot be kept for the next run: " + exit.Words(err))
	}
}

// completed does once what is to be done when a torrent is complete.
func (s *session) completed(j *job) {
	if j.completed {
		return
	}
	j.completed = true
	if wrong := place.WrongLinks(j.options.Dir, j.torrent); wrong != "" {
		s.Warn(wrong)
	}
	if s.onComplete != "" {
		s.hooks.start(s.onComplete, j, s.Stderr)
	}
}

func (s *session) announced(m kouzui.Announced) {
	j := s.byHash[m.Torrent.InfoHash()]
	if j == nil {
		return
	}
	j.announced(m)
	if r := m.Replied; r != nil {
		s.Log.Debug().Str("tracker", r.URL).Stringer("event", r.Event).Int("peers", r.Peers).Time("next", r.Next).Msg("announced")
		if r.Warning != "" {
			s.Warn(fmt.Sprintf("tracker %s: %s", r.URL, r.Warning))
		}
	} else if f := m.Failed; f != nil {
		failed := s.Log.Warn().Str("tracker", f.URL).Err(f.Err)
		if !f.Next.IsZero() { // else another tracker is asked at once, or none is left
			failed = failed.Time("next", f.Next)
		}
		failed.Msg("announce failed")
	}
}
