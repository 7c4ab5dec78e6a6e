package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

const (
	// stopWithin is how long torrents may take to end after an interrupt, and
	// shutdownWithin how long the rest may; together less than 3 s.
	stopWithin     = 2700 * time.Millisecond
	shutdownWithin = 250 * time.Millisecond
	// keepFree is how many free blocks the pool keeps: 16 MiB.
	keepFree = 1024
)

// session is one run of some torrents in one client. All of it belongs to the
// goroutine that runs it; only the inbox is shared.
type session struct {
	out        *output
	inbox      *inbox
	stop       *interrupts
	timeout    time.Duration
	onComplete string
	observer   *observer

	client    *actors.Client
	display   display
	jobs      []*job
	byHash    map[metainfo.Hash]*job
	running   int
	started   time.Time
	restarts  int
	blocked   int   // by the blocklist
	stopped   error // why all torrents were told to stop
	hooks     hooks
	listening bool // or nothing to the contrary was said
}

// job is one torrent of a session.
type job struct {
	torrent   *metainfo.Torrent
	options   messages.TorrentOptions
	last      messages.Progress
	met       bool  // some peer was connected
	tracker   error // the last word of the trackers, if none has ever replied
	replied   bool
	refused   error // why it cannot be seeded
	completed bool  // before, and perhaps repaired since
	ended     bool
	err       error
}

func (j *job) path() string { return filepath.Join(j.options.Dir, j.torrent.Name) }

// engineOptions are those of a client in the real world.
func engineOptions(out *output, b *inbox, sinks []event.Sink, listen string, connections int, memory int64, limits messages.SetLimits) actors.Options {
	pool := buffer.NewPool(keepFree)
	return actors.Options{
		World: realWorld(pool, connections), Pool: pool,
		Log: out.log, Sinks: append(sinks, b), Notify: b.put,
		Listen: listen, Memory: memory, Limits: limits,
	}
}

func (s *session) begin() {
	s.started = time.Now()
	s.listening = true
	s.byHash = map[metainfo.Hash]*job{}
	s.display = newDisplay(s.out)
}

// add makes the torrent a part of the run.
func (s *session) add(t *metainfo.Torrent, o messages.TorrentOptions) {
	j := &job{torrent: t, options: o}
	j.last = messages.Progress{
		InfoHash: t.InfoHash, Name: t.Name, State: messages.StateStarting,
		Pieces: t.PieceCount(), Length: t.Length, Left: t.Length,
	}
	s.display.leaving[t.InfoHash] = !o.Seed && !o.UntilPeersDone
	s.jobs = append(s.jobs, j)
	s.byHash[t.InfoHash] = j
	if s.out.lines != nil {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			dir = o.Dir
		}
		s.out.lines.Meta(t, dir)
	}
}

// run returns when all torrents have ended.
func (s *session) run(o actors.Options) error {
	client, err := actors.Start(s.observer.attach(o))
	if err != nil {
		return err
	}
	s.client = client
	s.observer.watch(client)
	s.running = len(s.jobs)
	for _, j := range s.jobs {
		client.Add(j.torrent, j.options)
	}
	if err := s.loop(); err != nil {
		return err // without waiting for anything
	}
	if err := client.Shutdown(shutdownWithin); err != nil {
		s.out.log.Debug().Err(err).Msg("not all actors stopped in time")
	}
	s.hooks.wait(s.stop, s.out.warn)
	return nil
}

// loop handles what comes until no torrent runs any more. An error ends the
// program at once.
func (s *session) loop() error {
	var timeout, forced <-chan time.Time
	if s.timeout > 0 {
		timer := time.NewTimer(s.timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	redraw := time.NewTimer(0)
	defer redraw.Stop()
	end := func(why error) {
		if s.stopAll(why) {
			forced = time.After(stopWithin)
		}
	}
	for s.running > 0 {
		select {
		case <-s.inbox.ready:
			for _, e := range s.inbox.take() {
				s.handle(e)
			}
			redraw.Reset(s.display.due(time.Now()))
			if err := s.out.stdout.failed(); err != nil {
				end(fail(exitInterrupted, err))
			}
		case <-redraw.C:
			s.display.draw(time.Now())
		case <-timeout:
			end(errTimeout)
		case <-s.stop.first:
			end(errInterrupted)
		case <-s.stop.second:
			return errInterrupted
		case <-forced:
			s.abandon()
		case <-s.client.Ended():
			return fmt.Errorf("the client itself failed: %w", messages.ErrGivenUp)
		}
	}
	s.display.draw(time.Now())
	return nil
}

// stopAll tells all torrents to stop, once.
func (s *session) stopAll(why error) bool {
	if s.stopped != nil {
		return false
	}
	s.stopped = why
	for _, j := range s.jobs {
		if !j.ended {
			s.client.Stop(j.torrent.InfoHash)
		}
	}
	return true
}

// abandon gives up on those that did not stop in time.
func (s *session) abandon() {
	for _, j := range s.jobs {
		if !j.ended {
			s.ended(j, j.last.Left == 0, nil)
		}
	}
}

func (s *session) handle(e any) {
	s.display.event(e)
	switch m := e.(type) {
	case *messages.Progress:
		if j := s.byHash[m.InfoHash]; j != nil {
			j.last = *m
			j.met = j.met || m.Peers > 0
			if j.options.MustExist && m.State == messages.StateDownloading && j.refused == nil {
				j.refused = failf(exitMismatch, "%d of %d pieces are wrong or missing; seed takes complete data only", m.Pieces-m.HavePieces, m.Pieces)
				s.client.Stop(m.InfoHash)
			}
		}
	case *messages.TorrentPeerBanned:
		s.out.warn(fmt.Sprintf("the peer at %v is banned: %s", m.Addr, m.Reason))
	case *messages.AddressesBlocked:
		s.blocked += m.Count
		s.out.log.Info().Int("addresses", m.Count).Bool("inbound", m.Inbound).Msg("blocked")
	case *messages.TorrentDataChanged:
		s.out.warn(fmt.Sprintf("%v; it is checked again", m.Err))
	case *messages.TorrentAnnounced:
		s.tracker(m)
	case *messages.TorrentCompleted:
		if j := s.byHash[m.InfoHash]; j != nil {
			j.last = m.Last
			if s.onComplete != "" && !j.options.MustExist && !j.completed {
				j.completed = true
				s.hooks.start(s.onComplete, j, s.out.stderr)
			}
		}
	case *messages.TorrentDone:
		if j := s.byHash[m.InfoHash]; j != nil && !j.ended {
			j.last = m.Last
			s.ended(j, m.Complete, nil)
		}
	case *messages.TorrentFailed:
		if j := s.byHash[m.InfoHash]; j != nil && !j.ended {
			j.last = m.Last
			s.ended(j, false, m.Err)
		}
	case *messages.ListenerFailed:
		if s.listening {
			s.listening = false // it tries again and again
			s.out.warn(fmt.Sprintf("nobody can connect to us: %v", m.Err))
		}
	case *messages.ListenerReady:
		s.listening = true
		s.out.log.Info().Stringer("at", m.Addr).Msg("listening")
	case *event.Event:
		if m.Kind == event.Restarted {
			s.restarts++
		}
	}
}

func (s *session) tracker(m *messages.TorrentAnnounced) {
	j := s.byHash[m.InfoHash]
	switch {
	case j == nil:
	case m.Replied != nil:
		j.replied, j.tracker = true, nil
		s.out.log.Debug().Str("tracker", m.Replied.URL).Stringer("event", m.Replied.Event).Int("peers", m.Replied.Peers).
			Time("next", m.Replied.Next).Msg("announced")
		if m.Replied.Warning != "" {
			s.out.warn(fmt.Sprintf("tracker %s: %s", m.Replied.URL, m.Replied.Warning))
		}
	case m.Failed != nil:
		f := m.Failed
		s.out.log.Warn().Str("tracker", f.URL).Err(f.Err).Time("next", f.Next).Msg("announce failed")
		if !j.replied {
			j.tracker = fmt.Errorf("%s: %w", f.URL, f.Err)
		}
	}
}

// ended takes note of how a torrent ended, and says so.
func (s *session) ended(j *job, complete bool, err error) {
	j.ended = true
	s.running--
	if err == nil && !complete {
		err = cmp.Or(j.refused, s.stopped, errInterrupted)
	}
	j.err = j.explain(err)
	if j.err != nil && len(s.jobs) > 1 {
		j.err = &failure{code: exitCode(j.err), err: fmt.Errorf("%s: %w", j.torrent.Name, j.err)}
	}
	s.display.ended(j, complete)
}

// explain adds to what ended a download too late that nobody was ever met because
// no tracker answered. That is why it stalled; a time that was set is up anyway.
func (j *job) explain(err error) error {
	stalled := errors.Is(err, messages.ErrStalled)
	if j.met || j.tracker == nil || !stalled && !errors.Is(err, errTimeout) {
		return err
	}
	err = fmt.Errorf("%w (all trackers failed: %w)", err, j.tracker)
	if stalled {
		return fail(exitNetwork, err)
	}
	return fail(exitTimeout, err)
}

// end sums up the run and returns the error that it ends with: the first.
func (s *session) end(err error) error {
	for _, j := range s.jobs {
		if err == nil {
			err = j.err
		}
	}
	if s.out.lines != nil {
		s.out.lines.End(exitCode(err), err, s.totals())
	}
	return err
}

func (s *session) totals() report.Totals {
	sum := report.Totals{Seconds: time.Since(s.started).Seconds(), Restarts: s.restarts, Blocked: s.blocked}
	for _, j := range s.jobs {
		add(&sum, &j.last)
	}
	return sum
}

func add(sum *report.Totals, p *messages.Progress) {
	sum.Bytes += p.Downloaded
	sum.Uploaded += p.Uploaded
	sum.Wasted += p.Wasted
	sum.Corrupt += p.Corrupt
}
