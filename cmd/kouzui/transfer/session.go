package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"kouzui"
	"path/filepath"
	"time"

	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/dhtnodes"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/metainfo"
)

// stopTimeout is how long torrents may take to stop after an interrupt, and
// shutdownTimeout how long the other actors may take. Together they are less
// than the 3 s within which the first interrupt ends the program.
const (
	stopTimeout     = 2700 * time.Millisecond
	shutdownTimeout = 250 * time.Millisecond
)

// errInterrupted is an interrupt of what can be continued.
var errInterrupted = fmt.Errorf("%w; run the same command again to continue", exit.ErrInterrupted)

// session is one run of some torrents in one client. All of it belongs to the
// goroutine that runs it; only the inbox is shared.
type session struct {
	*command.Run
	timeout    time.Duration
	onComplete string
	observer   *observer
	streamer   *streamer        // nil: the command is another
	dht        *dhtnodes.Keeper // nil: there is no DHT

	client    *kouzui.Client
	inbox     *progress.Inbox
	display   *progress.Display
	jobs      []*job
	byHash    map[kouzui.Hash]*job
	running   int
	began     time.Time
	restarts  int
	blocked   int   // addresses and connections, by the blocklist
	stopped   error // why all torrents were told to stop
	hooks     hooks
	listening bool // as far as we know
	unbound   bool // a UDP socket has failed
}

func newSession(r *command.Run, timeout time.Duration, onComplete string) *session {
	return &session{
		Run: r, timeout: timeout, onComplete: onComplete,
		inbox: progress.NewInbox(), display: progress.NewDisplay(r.Output), byHash: map[kouzui.Hash]*job{},
		began: time.Now(), listening: true,
	}
}

// loading is the context of what is read before the client starts. The time of
// --timeout counts from the start of the command.
func (s *session) loading() (context.Context, context.CancelFunc) {
	if s.timeout <= 0 {
		return s.Context, func() {}
	}
	return context.WithDeadlineCause(s.Context, s.began.Add(s.timeout), exit.ErrTimeout)
}

// add makes the torrent a part of the session.
func (s *session) add(j *job) {
	t, o := j.torrent, j.options
	s.display.Add(t.InfoHash)
	if !o.Seed && !o.UntilPeersDone {
		s.display.Leaves(t.InfoHash)
	}
	s.jobs = append(s.jobs, j)
	s.byHash[t.InfoHash] = j
}

// tellBeginnings writes that the torrents begin: nothing can keep any of them
// from having an end of its own from here on. Of a magnet link that is written
// when peers have told what is in the torrent.
func (s *session) tellBeginnings() {
	for _, j := range s.jobs {
		if !j.unknown {
			s.tellBeginning(j)
		}
	}
}

func (s *session) tellBeginning(j *job) {
	if s.Lines == nil {
		return
	}
	dir, err := filepath.Abs(j.options.Dir)
	if err != nil {
		dir = j.options.Dir
	}
	s.Lines.Meta(j.torrent, dir)
}

// run returns when all torrents have ended.
func (s *session) run(config kouzui.Config) error {
	client, err := kouzui.Open(s.observer.attach(config))
	if err != nil {
		return err
	}
	s.client = client
	events := client.Events(context.Background())
	go func() {
		for e := range events {
			s.observer.event(e)
			s.inbox.Put(e)
		}
	}()
	s.observer.watch(client)
	s.tellBeginnings()
	for _, j := range s.jobs {
		s.running++
		err := j.ready()
		if err == nil {
			if j.hidden() {
				s.Warn(fmt.Sprintf("%s: %s and no --peer is given, so peers find this seed only if they are told its address", metainfo.Clean(j.torrent.Name, 200), j.noTracker()))
			}
			err = j.begin(client)
		}
		if err == nil {
			s.stream(j)
		}
		if err != nil {
			s.ended(j, false, err)
		}
	}
	if err := s.loop(); err != nil {
		return err // without waiting for anything
	}
	s.dht.Ask(client)
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := client.Close(ctx); err != nil {
		s.Log.Debug().Err(err).Msg("not all actors stopped in time")
	}
	s.dht.Close()
	s.hooks.wait(s.Stop, s.Warn)
	return nil
}

// loop handles events until all torrents have ended. An error ends the program
// at once.
func (s *session) loop() error {
	var timeout, forced <-chan time.Time
	if s.timeout > 0 {
		timer := time.NewTimer(time.Until(s.began.Add(s.timeout)))
		defer timer.Stop()
		timeout = timer.C
	}
	redraw := time.NewTimer(0)
	defer redraw.Stop()
	end := func(why error) {
		if s.stopAll(why) {
			forced = time.After(stopTimeout)
		}
	}
	for s.running > 0 {
		select {
		case <-s.inbox.Ready:
			for _, e := range s.inbox.Take() {
				s.handle(e)
			}
			redraw.Reset(s.display.Due(time.Now()))
			switch err := s.Stdout.Err(); {
			case err == nil:
			case exit.BrokenPipe(err):
				end(exit.With(exit.Interrupted, err))
			default:
				end(exit.Unwritten(err))
			}
		case <-redraw.C:
			s.display.Draw(time.Now())
		case <-timeout:
			end(exit.ErrTimeout)
		case err := <-s.streamer.done():
			if why := s.over(err); why != nil {
				end(why)
			}
		case <-s.Stop.First:
			end(errInterrupted)
		case <-s.Stop.Second:
			return errInterrupted
		case <-forced:
			s.abandon()
		case <-s.client.Done():
			return fmt.Errorf("the root of the supervision tree failed: %w", kouzui.ErrGivenUp)
		}
	}
	s.display.Draw(time.Now())
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
			j.stop()
		}
	}
	return true
}

// abandon gives up the torrents that did not stop in time.
func (s *session) abandon() {
	for _, j := range s.jobs {
		if !j.ended {
			s.ended(j, j.last.Left == 0 && !j.unknown, nil)
		}
	}
}

// ended records how a torrent ended, and tells the user.
func (s *session) ended(j *job, complete bool, err error) {
	j.ended = true
	s.running--
	complete = complete || j.streamed
	if err == nil && !complete {
		err = cmp.Or(j.refused, s.stopped, errInterrupted)
	}
	j.err = j.explain(err)
	if j.err != nil && len(s.jobs) > 1 {
		j.err = exit.Of(j.torrent.Name, j.err)
	}
	s.display.Remove(j.torrent.InfoHash)
	took := time.Since(s.began)
	if s.Lines != nil {
		sum := report.Totals{Seconds: took.Seconds(), Restarts: j.last.Restarts}
		add(&sum, &j.last)
		s.Lines.Torrent(j.torrent, j.path(), complete, exit.Code(j.err), j.err, sum)
	}
	if complete || j.known {
		s.Say("%s", progress.Summary(&j.last, complete, took))
	}
	if j.err != nil && len(s.jobs) > 1 && !errors.Is(j.err, exit.ErrInterrupted) {
		exit.Complain(s.Stderr, j.err) // at once: the others may go on for hours
	}
	if complete && j.err == nil && !j.options.MustExist && s.streamer == nil {
		s.Result("%s", j.path())
	}
}

// end sums the session up. It returns the error that the program ends with:
// err, or else that of all torrents that failed, with the code of the first.
func (s *session) end(err error) error {
	if err == nil {
		var failed []error
		for _, j := range s.jobs {
			if j.err != nil {
				failed = append(failed, j.err)
			}
		}
		err = exit.Several(failed, len(s.jobs), "torrents failed")
	}
	if s.Lines != nil {
		s.Lines.End(exit.Code(err), err, s.totals())
	}
	return err
}

func (s *session) totals() report.Totals {
	sum := report.Totals{Seconds: time.Since(s.began).Seconds(), Restarts: s.restarts, Blocked: s.blocked}
	for _, j := range s.jobs {
		add(&sum, &j.last)
	}
	return sum
}
