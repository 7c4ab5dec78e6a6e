package metadata

import (
	"crypto/sha1"
	"slices"
	"time"

	"kouzui/messages"
)

// attempt is one copy of the info dictionary as it comes, of the size that its
// peers announce. Memory is taken for what has come, never for that size.
type attempt struct {
	size   int // bytes
	shared bool
	crew   []*source
	// turnEnds is from when on it gives way to others that wait.
	turnEnds time.Time
	movedAt  time.Time // when the last part came

	parts    map[int]part
	received int   // bytes
	fresh    int   // parts from this one on have not been asked for
	again    []int // parts before fresh that nobody is asked for, and that have not come
}

// part is 16 KiB of the info dictionary, or what the last part has.
type part struct {
	data []byte
	from messages.PeerKey
}

func newAttempt(size int, shared bool, turn time.Duration, now time.Time) *attempt {
	return &attempt{size: size, shared: shared, turnEnds: now.Add(turn), movedAt: now, parts: map[int]part{}}
}

// count is how many parts there are.
func (a *attempt) count() int {
	return (a.size + messages.MetadataPart - 1) / messages.MetadataPart
}

// length is how many bytes a part has.
func (a *attempt) length(i int) int {
	return min(messages.MetadataPart, a.size-i*messages.MetadataPart)
}

// take returns a part to be asked for, false if there is none.
func (a *attempt) take() (int, bool) {
	if n := len(a.again); n > 0 {
		i := a.again[0]
		a.again = a.again[1:]
		return i, true
	}
	if a.fresh < a.count() {
		a.fresh++
		return a.fresh - 1, true
	}
	return 0, false
}

// giveBack notes parts that a peer was asked for and does not bring.
func (a *attempt) giveBack(parts []int) {
	a.again = append(a.again, parts...)
	slices.Sort(a.again)
}

func (a *attempt) add(i int, data []byte, from messages.PeerKey) {
	a.parts[i] = part{data, from}
	a.received += len(data)
}

func (a *attempt) complete() bool { return len(a.parts) == a.count() }

// senders are the peers from whom the parts have come, in the order of parts.
func (a *attempt) senders() (keys []messages.PeerKey) {
	for i := range a.count() {
		if p, is := a.parts[i]; is && !slices.Contains(keys, p.from) {
			keys = append(keys, p.from)
		}
	}
	return keys
}

// join returns the copy if it is complete and its hash is right. Parts are
// freed as they are copied.
func (a *attempt) join(hash [sha1.Size]byte) (info []byte, right bool) {
	sum := sha1.New()
	for i := range a.count() {
		sum.Write(a.parts[i].data)
	}
	if [sha1.Size]byte(sum.Sum(nil)) != hash {
		return nil, false
	}
	info = make([]byte, 0, a.size) // all of it has come
	for i := range a.count() {
		info = append(info, a.parts[i].data...)
		delete(a.parts, i)
	}
	return info, true
}
