package web

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"kouzui/actors/runtime/rate"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

const (
	// patience is for how long no block may come before a server is taken for
	// dead: a server that is slower than a block in that time is of no use.
	patience = 30 * time.Second
	// After a failure a server is left alone for firstPause, after each further
	// failure in a row for twice as long as before, up to lastPause; pauseSpread,
	// as a share, keeps many clients from coming again at the same moment.
	// libtorrent waits 20 s, then 30 s.
	firstPause  = 10 * time.Second
	lastPause   = 10 * time.Minute
	pauseSpread = 0.25
	// maxAsked bounds for how long a server can have itself left alone.
	maxAsked = time.Hour
	// recent, in seconds, is over what time the rate is taken that is shown.
	recent      = 3
	reportEvery = time.Second
)

// phase is how far a web seed is.
type phase uint8

const (
	waiting phase = iota // for the torrent's word
	resting              // after a failure
	ready                // the scheduler is to begin the session
	serving
	dormant // nothing more is wanted
	over    // given up
)

// seed is the state of the actor. What is to be done gathers in out.
type seed struct {
	index   int
	url     string
	host    string
	torrent *metainfo.Torrent
	to      addresses
	nextKey func() messages.PeerKey
	pool    *buffer.Pool
	rnd     *rand.Rand
	now     time.Time // of the message that is handled

	phase    phase
	key      messages.PeerKey // of the session
	theirs   *bitset.BitSet   // pieces that the server may have
	plan     plan
	pace     pace
	tokens   tokens
	transfer *transfer // nil: nothing is under way
	fetch    uint64    // number of the range that was asked for last

	failures int       // in a row
	moved    bool      // a block has come since the last failure
	told     bool      // the torrent knows that the server serves
	until    time.Time // not to be asked before, when resting
	stallAt  time.Time // the server is dead if no block has come by then
	reportAt time.Time // zero: nothing moves
	down     rate.Rolling
	wasted   int64 // bytes that were not, or no longer, wanted

	out actions
}

// actions are what the shell is to do.
type actions struct {
	messages.Outbox
	cancel bool              // the fetch under way, before ask
	ask    *world.FetchRange // nil: nothing
	failed error             // for the trace
	end    bool
}

func newSeed(c Config, to addresses, rnd *rand.Rand, now time.Time) *seed {
	url := c.Torrent.WebSeeds[c.Seed]
	s := &seed{
		index: c.Seed, url: url, host: hostOf(url), torrent: c.Torrent, to: to, nextKey: c.NextKey, pool: c.Pool, rnd: rnd,
		theirs: bitset.New(uint(c.Torrent.PieceCount())), pace: newPace(), plan: plan{pieceLength: c.Torrent.PieceLength}, tokens: tokens{limits: c.Limits}, down: rate.NewRolling(now),
	}
	s.theirs.SetRange(0, uint(c.Torrent.PieceCount()))
	return s
}

func (s *seed) started() {
	s.out.Send(s.to.Torrent, &messages.WebSeedStarted{Seed: s.index, ReplyTo: s.to.self})
}

func (s *seed) startFetching() {
	if s.phase == waiting {
		s.connect()
	}
}

// connect tells the scheduler that there is a peer.
func (s *seed) connect() {
	s.phase, s.key = ready, s.nextKey()
	s.out.Send(s.to.Scheduler, &messages.PeerReady{
		Key: s.key, Peer: s.to.self, Link: s.link(), Source: messages.WebSeed, Name: s.host, At: s.now,
	})
}

// link numbers the session: each has a key of its own.
func (s *seed) link() uint64 { return uint64(s.key) }

func (s *seed) startSession(m *messages.StartSession) {
	if s.phase != ready || m.Link != s.link() {
		return
	}
	s.phase = serving
	s.out.Send(s.to.Scheduler, &messages.PeerBitfield{Key: s.key, Have: s.theirs.Clone()})
	s.report()
	s.out.Send(s.to.Scheduler, &messages.PeerChoking{Key: s.key, Answers: true, Window: s.pace.window()})
}

func (s *seed) request(blocks []messages.Block) {
	if s.phase == serving {
		s.plan.add(blocks)
		s.pump()
	}
}

// pump begins the next run, unless one is under way or nothing is wanted.
func (s *seed) pump() {
	if s.phase != serving || s.transfer != nil || len(s.plan.waiting) == 0 {
		return
	}
	if missing := s.tokens.missing(min(lengthOf(s.plan.waiting), s.pace.run*buffer.Size)); missing > 0 {
		if s.tokens.ask() {
			s.out.Send(s.to.Limiter, &messages.TokensWanted{From: s.to.self, Direction: messages.Down, Bytes: missing})
		}
		return
	}
	run := s.plan.next(s.pace.run, s.tokens.allowance())
	s.tokens.spend(lengthOf(run))
	s.transfer = newTransfer(s.torrent, run)
	s.pace.begins(s.now)
	s.askNext()
}

// askNext asks for the next range of the run, or ends the run.
func (s *seed) askNext() {
	r, more := s.transfer.next(s.pool)
	s.takeOut()
	if !more {
		s.pace.ended(len(s.transfer.blocks), s.now)
		s.transfer, s.failures = nil, 0
		s.pump()
		return
	}
	r.URL = address(s.url, s.torrent, s.transfer.spans[0].File)
	s.fetch++
	s.stallAt = s.now.Add(patience)
	s.out.ask = r
}

// fetched takes blocks of the range under way.
func (s *seed) fetched(fetch uint64, blocks []*buffer.Block) {
	if s.transfer == nil || fetch != s.fetch {
		(&fetched{blocks: blocks}).Discard()
		return
	}
	for _, b := range blocks {
		s.down.Add(s.now, len(b.Bytes()))
		s.transfer.take(b)
	}
	s.stallAt, s.moved = s.now.Add(patience), true
	if s.reportAt.IsZero() {
		s.reportAt = s.now.Add(reportEvery)
	}
	if !s.told {
		s.told = true
		s.out.Send(s.to.Torrent, &messages.WebSeedChanged{Seed: s.index, Serving: true})
	}
	s.takeOut()
}

// takeOut sends the blocks on that are whole.
func (s *seed) takeOut() {
	s.wasted += s.transfer.wasted
	s.transfer.wasted = 0
	stored := s.transfer.stored
	if len(stored) == 0 {
		return
	}
	s.transfer.stored = nil
	arrived := make([]messages.Block, len(stored))
	for i := range stored {
		arrived[i] = stored[i].Block
	}
	s.out.Send(s.to.Store, &messages.StoreBlocks{Key: s.key, Blocks: stored})
	s.out.Send(s.to.Scheduler, &messages.BlocksArrived{Key: s.key, Blocks: arrived, Window: s.pace.window(), At: s.now})
}

// fetchEnded takes the end of the range under way.
func (s *seed) fetchEnded(fetch uint64, err error) {
	if s.transfer == nil || fetch != s.fetch {
		return
	}
	if err == nil {
		s.transfer.rangeDone()
		s.askNext()
		return
	}
	var failed *world.FetchError
	if !errors.As(err, &failed) {
		failed = &world.FetchError{Err: err}
	}
	switch failed.Outcome {
	case world.FetchUseless:
		s.giveUp(failed)
	case world.FetchMissing:
		s.lacks(s.transfer.spans[0].File, failed)
	default:
		s.rest(failed, failed.After)
	}
}

// lacks notes that the server does not have a file: pieces of which that is a
// part come from elsewhere.
func (s *seed) lacks(file int, err error) {
	first, end := s.torrent.FilePieces(file)
	var lost []uint32
	for piece := first; piece < end; piece++ {
		if s.theirs.Test(uint(piece)) {
			s.theirs.Clear(uint(piece))
			lost = append(lost, uint32(piece))
		}
	}
	if s.theirs.None() {
		s.giveUp(err)
		return
	}
	s.out.failed = fmt.Errorf("a file is missing: %w", err)
	left := append(s.transfer.left(), s.plan.waiting...)
	s.dropTransfer()
	var dropped []messages.Block
	s.plan.waiting = slices.DeleteFunc(left, func(b messages.Block) bool {
		if s.theirs.Test(uint(b.Piece)) {
			return false
		}
		dropped = append(dropped, b)
		return true
	})
	s.out.Send(s.to.Scheduler, &messages.PeerDontHave{Key: s.key, Pieces: lost})
	if len(dropped) > 0 {
		s.out.Send(s.to.Scheduler, &messages.RequestsDropped{Key: s.key, Blocks: dropped, Window: s.pace.window()})
	}
	s.pump()
}

func (s *seed) cancelBlocks(blocks []messages.Block) {
	s.plan.remove(blocks)
	if s.transfer == nil {
		return
	}
	if s.transfer.unwant(blocks); len(s.transfer.left()) == 0 {
		s.stopTransfer()
		s.pump()
	}
}

func (s *seed) setLimits(m *messages.SetLimits) {
	s.tokens.setLimits(*m)
	s.pump()
}

func (s *seed) granted(m *messages.TokensGranted) {
	s.tokens.grant(m.Bytes)
	s.pump()
}

// disconnect ends the session: nothing is wanted until SetWanted.
func (s *seed) disconnect(reason messages.GoneReason) {
	if s.phase == ready || s.phase == serving {
		s.stopTransfer()
		s.gone(reason, nil)
		s.phase = dormant
	}
}

func (s *seed) setWanted() {
	if s.phase == dormant {
		s.connect()
	}
}

func (s *seed) lied(reason string) { s.giveUp(errors.New(reason)) }

// rest leaves the server alone for a while, for as long as it asks for at
// least.
func (s *seed) rest(err error, asked time.Duration) {
	s.stopTransfer()
	s.gone(messages.GoneClosed, err)
	if s.moved {
		s.failures = 0
	}
	s.failures++
	pause := min(firstPause<<min(s.failures-1, 10), lastPause)
	pause += time.Duration(s.rnd.Float64() * pauseSpread * float64(pause))
	s.phase, s.moved, s.told = resting, false, false
	s.until = s.now.Add(max(pause, min(asked, maxAsked)))
	s.pace = newPace()
	s.out.failed = err
	s.out.Send(s.to.Torrent, &messages.WebSeedChanged{Seed: s.index, Err: err, Until: s.until})
}

// giveUp ends the actor: the server is of no use to this torrent.
func (s *seed) giveUp(err error) {
	if s.phase == over {
		return
	}
	s.stopTransfer()
	s.gone(messages.GoneProtocol, err)
	s.phase = over
	s.out.failed, s.out.end = err, true
	s.out.Send(s.to.Torrent, &messages.WebSeedChanged{Seed: s.index, Err: err, GivenUp: true})
}

// gone ends the session: the scheduler takes back what it has asked for.
func (s *seed) gone(reason messages.GoneReason, err error) {
	s.dropTransfer()
	s.plan.waiting, s.reportAt = nil, time.Time{}
	if s.phase != ready && s.phase != serving {
		return
	}
	s.report()
	m := &messages.PeerGone{Key: s.key, Link: s.link(), Reason: reason, Err: err}
	s.out.Send(s.to.Scheduler, m)
	s.out.Send(s.to.Choker, m)
	s.phase = dormant
}

// stopTransfer ends the run under way, and what was asked of the server for it.
func (s *seed) stopTransfer() {
	s.out.cancel = s.out.cancel || s.transfer != nil
	s.dropTransfer()
}

func (s *seed) dropTransfer() {
	if s.transfer != nil {
		s.wasted += s.transfer.discard()
		s.transfer = nil
	}
}

// wake does what is due.
func (s *seed) wake() {
	switch {
	case s.phase == resting && !s.now.Before(s.until):
		s.connect()
	case s.transfer != nil && !s.now.Before(s.stallAt):
		s.rest(fmt.Errorf("nothing has come for %d s", int(patience/time.Second)), 0)
	case !s.reportAt.IsZero() && !s.now.Before(s.reportAt):
		s.report()
		s.reportAt = s.now.Add(reportEvery)
		if s.down.Over(s.now, rate.MaxSpan) == 0 {
			s.reportAt = time.Time{}
		}
	}
}

// due is when wake is to be called; the zero time: not before another message
// comes.
func (s *seed) due() (at time.Time) {
	if s.phase == resting {
		return s.until
	}
	if s.transfer != nil {
		at = s.stallAt
	}
	if !s.reportAt.IsZero() && (at.IsZero() || s.reportAt.Before(at)) {
		at = s.reportAt
	}
	return at
}

func (s *seed) report() {
	if s.phase != serving {
		return
	}
	m := &messages.PeerRates{
		Key: s.key, Peer: s.to.self, At: s.now,
		Down: s.down.Over(s.now, rate.MaxSpan), DownNow: s.down.Over(s.now, recent), DownTotal: s.down.Total(), WastedTotal: s.wasted,
		Flags:  messages.PeerFlags{AmChoking: true, AmInterested: true, Seed: s.theirs.All(), UploadOnly: true},
		Window: s.pace.window(), InFlight: len(s.plan.waiting),
	}
	if s.transfer != nil {
		m.InFlight += len(s.transfer.left())
	}
	s.out.Send(s.to.Choker, m)
	s.out.Send(s.to.Scheduler, m)
}
