package sim

import (
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kouzui/actors/world/worldtest"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDisk(t *testing.T) {
	worldtest.Disk(t, New(1, nil).NewHost("h", Class{}).World().Disk, func(t *testing.T) string { return t.Name() })
}

// Timers run in the order of their times, also when others are stopped, and the
// clock then shows the time at which they are due.
func TestTimersComeInOrder(t *testing.T) {
	s := New(1, nil)
	clock := s.NewHost("h", Class{}).World().Clock
	var came []time.Duration
	rnd := s.Rand("test")
	for i := range 1000 {
		due := time.Duration(rnd.IntN(100)) * time.Millisecond
		timer := clock.AfterFunc(due, func() {
			if s.Elapsed() != due {
				t.Errorf("what was due at %v comes at %v", due, s.Elapsed())
			}
			came = append(came, due)
		})
		if i%3 == 0 && !timer.Stop() {
			t.Error("a timer that waits cannot be stopped")
		}
	}
	for s.Step() {
	}
	if len(came) != 666 {
		t.Errorf("%d came", len(came))
	}
	for i := 1; i < len(came); i++ {
		if came[i] < came[i-1] {
			t.Fatalf("%v comes after %v", came[i], came[i-1])
		}
	}
}

// payload is a source of zeros.
type payload struct{}

func (payload) ReadBlocks(bufs [][]byte, _ int64, done func(error)) {
	for _, b := range bufs {
		clear(b)
	}
	done(nil)
}

// end is what one end of a connection has received.
type end struct {
	link   messages.Link
	bytes  int
	at     time.Time
	closed error
}

func (e *end) start() {
	e.link.Start(frame.Limits{}, func(m any) {
		switch m := m.(type) {
		case *messages.FramesReceived:
			for _, f := range m.Frames {
				e.bytes += int(f.Length)
				f.Block.Release()
			}
			e.at = m.At
			e.link.Done(m)
		case *messages.LinkClosed:
			e.closed = m.Err
		}
	})
}

func (e *end) send(blocks int) {
	for i := range blocks {
		e.link.Send([]messages.Outgoing{{
			Frame: frame.Frame{Kind: frame.Piece, Index: uint32(i), Length: buffer.Size}, Source: payload{}, Offset: int64(i) * buffer.Size,
		}})
	}
}

// pair connects two new hosts.
func pair(t *testing.T, s *Sim, from, to Class) (ours, theirs *end, a, b *Host) {
	t.Helper()
	a, b = s.NewHost("a", from), s.NewHost("b", to)
	ours, theirs = connect(t, s, a, b)
	return ours, theirs, a, b
}

func connect(t *testing.T, s *Sim, a, b *Host) (ours, theirs *end) {
	t.Helper()
	ours, theirs = &end{}, &end{}
	l, err := b.World().Network.Listen(":0", 0, func(l messages.Link) { theirs.link = l }, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.World().Network.Dial(l.Addr(), time.Minute, func(l messages.Link, err error) {
		if err != nil {
			t.Error(err)
		}
		ours.link = l
	})
	for ours.link == nil && s.Step() {
	}
	ours.start()
	theirs.start()
	return ours, theirs
}

// Frames that are sent during a partition arrive when it is over. A dial gets
// no answer.
func TestPartition(t *testing.T) {
	s := New(1, nil)
	ours, theirs, a, b := pair(t, s, Class{}, Class{})
	s.Partition(func(h *Host) int {
		if h == a {
			return 1
		}
		return 0
	})
	ours.send(1)
	var failed error
	a.World().Network.Dial(netip.AddrPortFrom(b.Addr, 1), time.Second, func(_ messages.Link, err error) { failed = err })
	_ = s.Run(time.Minute, func() bool { return false })
	if theirs.bytes != 0 || failed != errTimedOut {
		t.Errorf("%d bytes came through; the dial says %v", theirs.bytes, failed)
	}
	s.Heal()
	for s.Step() {
	}
	if theirs.bytes != buffer.Size {
		t.Errorf("%d bytes after the partition", theirs.bytes)
	}
}

// If one end is closed, the other end learns this after it has received
// everything; if its process is killed, by a reset; after a power cut, not at
// all.
func TestEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(ours *end, a *Host)
		want error
	}{
		"closed":    {func(ours *end, _ *Host) { ours.link.Close(nil) }, io.EOF},
		"killed":    {func(_ *end, a *Host) { a.Kill() }, errReset},
		"power cut": {func(_ *end, a *Host) { a.PowerCut() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(1, nil)
			ours, theirs, a, _ := pair(t, s, Class{}, Class{Delay: time.Millisecond})
			ours.send(1)
			for s.Step() {
			}
			tc.end(ours, a)
			for s.Step() {
			}
			if theirs.bytes != buffer.Size || theirs.closed != tc.want {
				t.Errorf("%d bytes, and then %v", theirs.bytes, theirs.closed)
			}
		})
	}
}

// Two journals differ from the step on at which their runs do.
func TestJournalsTellWhereRunsPart(t *testing.T) {
	first := NewJournal(true)
	for i := range 100 {
		first.enter(int64(i), first.name("somebody"), first.name("something"), 0)
	}
	same := first.Against()
	for i := range 100 {
		same.enter(int64(i), same.name("somebody"), same.name("something"), 0)
	}
	if same.Parted() != "" || same.Sum() != first.Sum() {
		t.Errorf("the same: %s", same.Parted())
	}
	other := first.Against()
	for i := range 60 {
		what := "something"
		if i >= 50 {
			what = "else"
		}
		other.enter(int64(i), other.name("somebody"), other.name(what), 0)
	}
	const want = "the runs part at step 50: it was\n  50ns somebody something\nand is\n  50ns somebody else\n"
	if got := other.Parted(); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("got %s", got)
	}
}

// Pieces that are announced in one message arrive as one Have each.
func TestHavesTravelEach(t *testing.T) {
	s := New(1, nil)
	ours, theirs, _, _ := pair(t, s, Class{}, Class{})
	var got []uint32
	theirs.link.Start(frame.Limits{}, func(m any) {
		if m, is := m.(*messages.FramesReceived); is {
			for _, f := range m.Frames {
				got = append(got, f.Index)
			}
			theirs.link.Done(m)
		}
	})
	ours.link.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Have}, Haves: []uint32{3, 1, 4}}, {Frame: frame.Frame{Kind: frame.Have, Index: 5}}})
	for s.Step() {
	}
	if want := []uint32{3, 1, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("arrived as %v, want %v", got, want)
	}
}

// A mailbox that is held delivers nothing; afterwards it delivers the given
// message first.
func TestHold(t *testing.T) {
	s := New(1, nil)
	h := s.NewHost("a", Class{})
	var got []any
	m := h.Mailbox().(*mailbox)
	m.RegisterHandlers(invoker(func(message any) { got = append(got, message) }), h.Dispatcher())
	m.PostUserMessage("second")
	m.Hold(time.Second, "first")
	m.PostUserMessage("third")
	for len(got) == 0 && s.Step() {
	}
	if s.Elapsed() != time.Second {
		t.Errorf("the first came after %v", s.Elapsed())
	}
	for s.Step() {
	}
	if want := []any{"first", "second", "third"}; !slices.Equal(got, want) {
		t.Errorf("handled in the order %v", got)
	}
}

type invoker func(any)

func (i invoker) InvokeUserMessage(m any)   { i(m) }
func (i invoker) InvokeSystemMessage(m any) { i(m) }
func (invoker) EscalateFailure(_, _ any)    {}
