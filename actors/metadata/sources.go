package metadata

import (
	"math/rand/v2"
	"slices"
	"time"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const (
	// maxAttempts is how many copies come at a time: with peers that disagree on
	// the size, or while one has stopped sending. It bounds the memory, at so many
	// times messages.MaxMetadata of bytes that have come.
	maxAttempts = 4
	// maxAsked is how many parts a peer alone is asked for at once. Most info
	// dictionaries have fewer; transmission rejects what is beyond 64.
	maxAsked = 64
	// maxAskedShared is the same of a peer that is one of several.
	maxAskedShared = 16
	// hedgeAfter is how long a peer may send nothing until another is tried beside
	// it.
	hedgeAfter = 3 * time.Second
	// silentAfter is how long a peer may send nothing until it is taken for
	// silent.
	silentAfter = 10 * time.Second
	// restFor is how long a peer that has rejected, or fallen silent, is left
	// alone. libtorrent rests as long.
	restFor = time.Minute
	// firstTurn is how long a copy may take while others wait to be tried. Each
	// further turn of the same peer is twice as long, so that an honest slow one
	// gets done in the end, whatever liars do.
	firstTurn = 10 * time.Second
	maxTurn   = 20 * time.Minute
	// excludedFor is how long a shared attempt may go without a part before those
	// take part that were left out of it.
	excludedFor = 2 * restFor
)

// source is a peer that has offered the info dictionary.
type source struct {
	key   messages.PeerKey
	peer  address
	size  int       // of the info dictionary, as the peer says
	turns int       // that are over
	since time.Time // it waits for a turn
	// suspect: it had a part in a shared copy whose hash was wrong.
	suspect   bool
	excluded  bool // from the shared attempt of its size
	restUntil time.Time

	attempt *attempt // nil: none
	asked   []int    // parts that it has not brought yet
	movedAt time.Time
}

// turn is how long its attempt may take while others wait.
func (s *source) turn() time.Duration {
	return min(firstTurn<<min(s.turns, 10), maxTurn)
}

// sources is the core. A copy comes from one peer alone first, so that it is
// known who has lied if its hash is wrong. Where all peers of a size have
// failed alone, they share an attempt, in which each is asked for some of the
// parts. If the hash of that is wrong, they are tried alone again, and the next
// shared attempt leaves some of them out by chance.
type sources struct {
	hash    metainfo.Hash
	torrent address
	chance  *rand.Rand
	now     time.Time // of the message that is handled

	all      []*source // in the order of their offers
	attempts []*attempt
	found    bool
	failed   int                       // copies whose hash was wrong
	told     messages.MetadataProgress // last
	out      messages.Outbox
	wrong    []wrong // for the trace
}

// wrong is a copy whose hash was wrong.
type wrong struct{ size, peers int }

func newSources(hash metainfo.Hash, torrent address, chance *rand.Rand) *sources {
	return &sources{hash: hash, torrent: torrent, chance: chance}
}

func (k *sources) of(key messages.PeerKey) *source {
	for _, s := range k.all {
		if s.key == key {
			return s
		}
	}
	return nil
}

func (k *sources) offered(m *messages.MetadataOffered) {
	if s := k.of(m.Key); s != nil {
		if s.size == m.Size && s.peer.Equal(m.Peer) {
			return
		}
		k.gone(m.Key)
	}
	if m.Size > 0 && m.Size <= messages.MaxMetadata {
		k.all = append(k.all, &source{key: m.Key, peer: m.Peer, size: m.Size, since: k.now})
	}
}

func (k *sources) gone(key messages.PeerKey) {
	if s := k.of(key); s != nil {
		k.leave(s)
		k.all = slices.DeleteFunc(k.all, func(o *source) bool { return o == s })
	}
}

func (k *sources) rejected(m *messages.MetadataRejected) {
	if s := k.of(m.Key); s != nil && slices.Contains(s.asked, m.Part) {
		k.rest(s)
	}
}

// rest leaves a peer alone for a while.
func (k *sources) rest(s *source) {
	k.leave(s)
	s.restUntil = k.now.Add(restFor)
	s.since = s.restUntil
}

// leave ends the part of a peer in its attempt. An attempt of one peer ends
// with that.
func (k *sources) leave(s *source) {
	a := s.attempt
	if a == nil {
		return
	}
	a.giveBack(s.asked)
	a.crew = slices.DeleteFunc(a.crew, func(o *source) bool { return o == s })
	s.attempt, s.asked, s.since = nil, nil, k.now
	if !a.shared {
		s.turns++
		k.drop(a)
	}
}

// drop ends an attempt, and with it the turn of its peers, those that rest
// included.
func (k *sources) drop(a *attempt) {
	k.attempts = slices.DeleteFunc(k.attempts, func(o *attempt) bool { return o == a })
	for _, s := range k.all {
		if s.attempt == a {
			s.attempt, s.asked, s.since = nil, nil, k.now
			s.turns++
		} else if a.shared && s.size == a.size {
			s.turns++
		}
	}
}

// arrived takes a part. A peer that does not send what was asked for is left
// alone, as one that rejects.
func (k *sources) arrived(m *messages.MetadataArrived) {
	s := k.of(m.Key)
	if s == nil {
		return
	}
	at := slices.Index(s.asked, m.Part)
	if at < 0 {
		return
	}
	a := s.attempt
	if len(m.Data) != a.length(m.Part) || m.Total != 0 && m.Total != a.size {
		k.rest(s)
		return
	}
	s.asked = slices.Delete(s.asked, at, at+1)
	s.movedAt, a.movedAt = k.now, k.now
	a.add(m.Part, m.Data, s.key)
	if a.complete() {
		k.judge(a)
	}
}

// judge holds a whole copy against the info hash.
func (k *sources) judge(a *attempt) {
	if info, right := a.join(k.hash); right {
		k.found, k.attempts = true, nil
		k.out.Send(k.torrent, &messages.MetadataFound{Info: info})
		return
	}
	senders := a.senders()
	k.wrong = append(k.wrong, wrong{a.size, len(senders)})
	k.failed++
	if len(senders) == 1 {
		if liar := k.of(senders[0]); liar != nil {
			k.out.Send(liar.peer, &messages.MetadataLied{})
			k.gone(liar.key)
		}
		k.drop(a)
		return
	}
	k.drop(a)
	for _, s := range k.all {
		if s.size == a.size {
			s.turns = 0
			s.suspect = s.suspect || slices.Contains(senders, s.key)
		}
	}
}

// proceed does what can be done at this time, and returns when it is to be
// called again, if no message comes before; zero: never.
func (k *sources) proceed() (due time.Time) {
	if !k.found {
		k.endSilent()
		k.begin()
		for _, a := range k.attempts {
			k.ask(a)
		}
		due = k.due()
	}
	k.report()
	return due
}

func (k *sources) endSilent() {
	for _, s := range k.all {
		if len(s.asked) > 0 && k.now.Sub(s.movedAt) >= silentAfter {
			k.rest(s)
		}
	}
}

// begin has the peers tried whose turn it is.
func (k *sources) begin() {
	for _, s := range k.waiting() {
		shared := k.shares(s)
		var a *attempt
		if shared {
			a = k.sharedOf(s.size)
		} else if k.lively(s.size) {
			continue
		}
		if a == nil {
			if !k.makeRoom() {
				continue
			}
			a = newAttempt(s.size, shared, s.turn(), k.now)
			k.attempts = append(k.attempts, a)
			if shared {
				k.excludeSome(a.size)
			}
		}
		if shared && s.excluded && k.now.Sub(a.movedAt) < excludedFor {
			continue
		}
		a.crew = append(a.crew, s)
		s.attempt, s.movedAt = a, k.now
	}
}

// waiting is the peers that may be tried, those first that have waited longest:
// who comes back again and again is always the last.
func (k *sources) waiting() []*source {
	ready := slices.DeleteFunc(slices.Clone(k.all), func(s *source) bool { return s.attempt != nil || k.now.Before(s.restUntil) })
	slices.SortStableFunc(ready, func(a, b *source) int { return a.since.Compare(b.since) })
	return ready
}

// shares tells whether a peer is to be one of several: all of its size have
// been tried alone.
func (k *sources) shares(s *source) bool {
	return s.turns > 0 && !slices.ContainsFunc(k.all, func(o *source) bool { return o.size == s.size && o.turns == 0 })
}

func (k *sources) sharedOf(size int) *attempt {
	for _, a := range k.attempts {
		if a.shared && a.size == size {
			return a
		}
	}
	return nil
}

// lively tells whether a peer that is alone in its attempt sends a copy of this
// size.
func (k *sources) lively(size int) bool {
	return slices.ContainsFunc(k.attempts, func(a *attempt) bool {
		return !a.shared && a.size == size && k.now.Sub(a.crew[0].movedAt) < hedgeAfter
	})
}

// makeRoom tells whether another attempt may begin. If there are as many as
// there may be, that ends whose turn has been over for longest.
func (k *sources) makeRoom() bool {
	if len(k.attempts) < maxAttempts {
		return true
	}
	var over *attempt
	for _, a := range k.attempts {
		if !k.now.Before(a.turnEnds) && (over == nil || a.turnEnds.Before(over.turnEnds)) {
			over = a
		}
	}
	if over != nil {
		k.drop(over)
	}
	return over != nil
}

// excludeSome leaves about half of the suspects out of a shared attempt: a liar
// among them spoils others, but not all of them for ever.
func (k *sources) excludeSome(size int) {
	for _, s := range k.all {
		if s.size == size {
			s.excluded = s.suspect && k.chance.IntN(2) == 0
		}
	}
}

// ask asks the peers of an attempt for the parts that are missing.
func (k *sources) ask(a *attempt) {
	most := maxAsked
	if a.shared {
		most = maxAskedShared
	}
	for _, s := range a.crew {
		for len(s.asked) < most {
			i, is := a.take()
			if !is {
				break
			}
			if len(s.asked) == 0 {
				s.movedAt = k.now
			}
			s.asked = append(s.asked, i)
			k.out.Send(s.peer, &messages.RequestMetadata{Part: i})
		}
	}
}

// due is when a peer will be silent, or will have rested, or is to be hedged,
// or has taken its turn.
func (k *sources) due() (due time.Time) {
	at := func(t time.Time) {
		if t.After(k.now) && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, s := range k.all {
		at(s.restUntil)
		if len(s.asked) > 0 {
			at(s.movedAt.Add(silentAfter))
			at(s.movedAt.Add(hedgeAfter))
		}
	}
	for _, a := range k.attempts {
		at(a.turnEnds)
		at(a.movedAt.Add(excludedFor))
	}
	return due
}

// report tells the torrent how it stands, when that has changed.
func (k *sources) report() {
	p := messages.MetadataProgress{Peers: len(k.all), Failed: k.failed}
	for _, a := range k.attempts {
		if p.Size == 0 || a.received > p.Received {
			p.Size, p.Received = a.size, a.received
		}
	}
	if p != k.told && !k.found {
		k.told = p
		k.out.Send(k.torrent, &p)
	}
}
