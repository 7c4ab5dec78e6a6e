package sim

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"kouzui/actors/runtime/event"
)

// recent is how many entries a journal keeps that does not keep all.
const recent = 32

// Journal records a run step by step: which actor handled which kind of message
// at which time, and the events of the supervision trees. The sums of two
// journals are equal if the runs are. A journal can also be compared with that
// of an earlier run while it grows.
type Journal struct {
	keep   bool     // all entries, not only the recent ones
	other  *Journal // of the earlier run that this one is compared with; or nil
	parted string   // how the two runs differ; empty if they do not

	n       int
	sum     uint64
	entries []entry
	names   map[string]uint32
	types   map[reflect.Type]uint32
	texts   []string
}

// entry is one step, in few bytes: its texts are numbers of texts in the
// journal.
type entry struct {
	at          int64
	where, what uint32
	sum         uint64
}

// NewJournal returns an empty journal. To compare other runs with it, it must
// keep all entries.
func NewJournal(keep bool) *Journal {
	return &Journal{keep: keep, names: map[string]uint32{}, types: map[reflect.Type]uint32{}}
}

// Against returns an empty journal that notices where its run begins to differ
// from that of j.
func (j *Journal) Against() *Journal {
	again := NewJournal(false)
	again.other = j
	return again
}

// Sum is the hash of all that was entered.
func (j *Journal) Sum() uint64 { return j.sum }

// Len is how many entries were made.
func (j *Journal) Len() int { return j.n }

// Parted tells at which step two runs began to differ, and what came before; it
// is empty if they did not. Call it when both runs are over.
func (j *Journal) Parted() string {
	if j.parted == "" && j.other != nil && j.other.n != j.n {
		return fmt.Sprintf("one run ends after step %d, the other after step %d\n%s", j.other.n, j.n, j.Tail())
	}
	return j.parted
}

// Tail is the last entries as text, a line each.
func (j *Journal) Tail() string {
	var b strings.Builder
	for i := max(0, j.n-recent); i < j.n; i++ {
		fmt.Fprintf(&b, "%d %s\n", i, j.line(j.entry(i)))
	}
	return b.String()
}

func (j *Journal) entry(i int) entry {
	if j.keep {
		return j.entries[i]
	}
	return j.entries[i%recent]
}

func (j *Journal) line(e entry) string {
	return fmt.Sprintf("%v %s %s", time.Duration(e.at), j.texts[e.where], j.texts[e.what])
}

func (j *Journal) step(at int64, path string, message reflect.Type) {
	what, known := j.types[message]
	if !known {
		what = j.name(fmt.Sprint(message))
		j.types[message] = what
	}
	j.enter(at, j.name(path), what, 0)
}

// event enters an event of a supervision tree, without its stack, which depends
// on the machine.
func (j *Journal) event(at int64, e *event.Event) {
	what := string(e.Kind)
	for _, s := range []string{string(e.Action), e.Strategy, e.Reason, e.MessageType, e.Note} {
		if s != "" {
			what += " " + s
		}
	}
	numbers := uint64(0)
	for _, n := range []int64{int64(e.Seq), int64(e.Cause), int64(e.Incarnation), int64(e.Attempt), int64(e.BudgetLeft), int64(e.Delay),
		int64(e.Down), int64(e.Kept), int64(e.Lost), int64(e.Depth), int64(e.Waited)} {
		numbers = mix(numbers, uint64(n))
	}
	for _, d := range e.Detail {
		numbers = mix(numbers, uint64(j.name(d.Key))<<32|uint64(j.name(d.Text)))
		numbers = mix(numbers, uint64(d.Number))
	}
	j.enter(at, j.name(e.Actor), j.name(what), numbers)
}

func (j *Journal) enter(at int64, where, what uint32, numbers uint64) {
	j.sum = mix(j.sum, uint64(at))
	j.sum = mix(j.sum, uint64(where)<<32|uint64(what))
	j.sum = mix(j.sum, numbers)
	e := entry{at, where, what, j.sum}
	if j.keep || j.n < recent {
		j.entries = append(j.entries, e)
	} else {
		j.entries[j.n%recent] = e
	}
	j.n++
	if j.other != nil && j.parted == "" {
		j.compare(e)
	}
}

func (j *Journal) compare(e entry) {
	i, was := j.n-1, "nothing more"
	if i < j.other.n {
		before := j.other.entries[i]
		if before.sum == e.sum {
			return
		}
		was = j.other.line(before)
	}
	j.parted = fmt.Sprintf("the runs part at step %d: it was\n  %s\nand is\n  %s\nafter\n%s", i, was, j.line(e), j.Tail())
}

// name returns the number of a text. A new text is added to the sum, and later
// only its number.
func (j *Journal) name(text string) uint32 {
	n, known := j.names[text]
	if !known {
		n = uint32(len(j.texts))
		j.names[text] = n
		j.texts = append(j.texts, text)
		for i := range len(text) {
			j.sum = mix(j.sum, uint64(text[i]))
		}
	}
	return n
}

func mix(sum, n uint64) uint64 {
	sum = (sum ^ n) * 0x9E3779B97F4A7C15
	return sum ^ sum>>29
}
