package fake

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kouzui/actors/world"
	"kouzui/actors/world/worldtest"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestClockRunsTimersInTheirOrder(t *testing.T) {
	c := NewClock(start)
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, name+" "+c.Now().Sub(start).String()) }
	}
	c.AfterFunc(3*time.Second, note("c"))
	c.AfterFunc(time.Second, func() {
		note("a")()
		c.AfterFunc(time.Second, note("b"))
		c.AfterFunc(time.Hour, note("never"))
	})
	c.AfterFunc(3*time.Second, note("d"))
	stopped := c.AfterFunc(2*time.Second, note("stopped"))
	if !stopped.Stop() || stopped.Stop() {
		t.Error("Stop answers wrong")
	}
	c.Advance(4 * time.Second)
	if diff := cmp.Diff([]string{"a 1s", "b 2s", "c 3s", "d 3s"}, got); diff != "" {
		t.Error(diff)
	}
	if c.Pending() != 1 || !c.Now().Equal(start.Add(4*time.Second)) {
		t.Errorf("%d timers are left at %v", c.Pending(), c.Now())
	}
	if next, ok := c.Next(); !ok || next != time.Hour-3*time.Second {
		t.Errorf("the next timer is due in %v", next)
	}
}

func TestClockAwaits(t *testing.T) {
	c := NewClock(start)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { c.AfterFunc(time.Minute, func() {}) })
	}
	c.AwaitTimers(4)
	c.AwaitTimer(time.Minute)
	all.Wait()
	all.Go(c.AwaitIdle)
	c.Advance(time.Minute)
	all.Wait()
}

func TestChanceRepeats(t *testing.T) {
	draw := func(seed Chance, name string) uint64 { return seed.Source(name).Uint64() }
	first := draw(1, "a")
	if again := draw(1, "a"); again != first || first == draw(1, "b") || first == draw(2, "a") {
		t.Error("sources do not depend on seed and name alone")
	}
}

func TestDisk(t *testing.T) {
	worldtest.Disk(t, NewDisk(NewClock(start)), func(t *testing.T) string { return t.Name() })
}

func TestDiskFullAndBroken(t *testing.T) {
	d := NewDisk(NewClock(start))
	f, err := d.OpenFolder("dir")
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Create("data")
	if err != nil {
		t.Fatal(err)
	}
	write := func(n int) (err error) {
		file.WriteBlocks([][]byte{make([]byte, n)}, 0, func(e error) { err = e })
		return err
	}
	d.SetCapacity(8 << 10)
	if err := write(8 << 10); err != nil {
		t.Error(err)
	}
	if err := write(8<<10 + 1); !errors.Is(err, world.ErrFull) || !strings.Contains(err.Error(), "data") {
		t.Errorf("a full disk answers %v", err)
	}
	if err := f.WriteFile("small", []byte("x")); !errors.Is(err, world.ErrFull) {
		t.Errorf("a full disk answers %v", err)
	}
	if err := f.Remove("data"); err != nil {
		t.Error(err)
	}
	if err := f.WriteFile("small", []byte("x")); err != nil {
		t.Error(err)
	}
	d.Fail(OpWrite, 2, syscall.EIO)
	for i, want := range []error{syscall.EIO, syscall.EIO, nil} {
		if err := write(1); !errors.Is(err, want) {
			t.Errorf("write %d: %v", i, err)
		}
	}
}

func TestLink(t *testing.T) {
	w := New(1)
	var link messages.Link
	cancelled := w.Network.Dial(netip.MustParseAddrPort("10.0.0.1:1"), time.Second, func(messages.Link, error) { t.Error("called") })
	cancelled()
	if w.Network.AwaitDial().Fail(io.EOF) {
		t.Error("a cancelled dial was answered")
	}
	w.Network.Dial(netip.MustParseAddrPort("10.0.0.2:2"), time.Second, func(l messages.Link, _ error) { link = l })
	far := w.Network.AwaitDial().Connect()

	var greeted frame.Handshake
	link.ReadHandshake(time.Second, nil, func(h frame.Handshake, _ error) { greeted = h })
	far.Handshake(frame.Handshake{PeerID: [20]byte{1}})
	link.SendHandshake(frame.Handshake{PeerID: [20]byte{2}})
	if greeted.PeerID[0] != 1 || far.AwaitHandshake().PeerID[0] != 2 {
		t.Error("the handshakes were lost")
	}
	var got []any
	link.Start(frame.Limits{Pieces: 7}, func(m any) { got = append(got, m) })
	if far.AwaitStart().Pieces != 7 {
		t.Error("the limits were lost")
	}
	far.Receive(frame.Frame{Kind: frame.Have, Index: 3})
	link.Done(got[0].(*messages.FramesReceived))
	far.AwaitDone()
	link.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Piece, Length: 100}}})
	if o := far.AwaitSent(); o.Length != 100 {
		t.Errorf("sent %+v", o)
	}
	far.Flush()
	far.Flush()
	link.Close(io.ErrClosedPipe)
	far.Close(io.EOF)
	far.Receive(frame.Frame{Kind: frame.Choke})
	want := []any{
		&messages.FramesReceived{Link: far.ID(), At: start, Bytes: 9, Frames: []frame.Frame{{Kind: frame.Have, Index: 3}}},
		&messages.FramesSent{Link: far.ID(), At: start, Payload: 100, Pieces: 1},
		&messages.LinkClosed{Link: far.ID(), Err: io.ErrClosedPipe},
	}
	if len(got) != len(want) {
		t.Fatalf("delivered %v", got)
	}
	if diff := cmp.Diff(want[:2], got[:2]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[2], got[2], cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if far.AwaitClose() != io.ErrClosedPipe {
		t.Error("the reason was lost")
	}
}

func TestListener(t *testing.T) {
	n := New(1).Network
	var accepted messages.Link
	var failure error
	if _, err := n.Listen(":0", 5, func(l messages.Link) { accepted = l }, func(err error) { failure = err }); err != nil {
		t.Fatal(err)
	}
	l := n.AwaitListener()
	if link := l.Accept(netip.MustParseAddrPort("10.0.0.1:1")); link != accepted || !link.Inbound() {
		t.Error("the connection was lost")
	}
	l.Fail(io.EOF)
	if failure != io.EOF || l.Accept(netip.AddrPort{}) != nil {
		t.Error("the listener goes on after its end")
	}
}

func TestAnnouncer(t *testing.T) {
	a := New(1).Trackers
	var got announce.Reply
	var failed error
	done := func(r announce.Reply, err error) { got, failed = r, err }
	a.Announce("http://one", world.FromTorrent, announce.Request{Port: 1}, time.Second, done)
	call := a.AwaitAnnounce()
	if call.URL != "http://one" || call.Request.Port != 1 || !call.Reply(announce.Reply{Seeders: 3}) || got.Seeders != 3 {
		t.Error("the announce was lost")
	}
	if call.Reply(announce.Reply{}) {
		t.Error("answered twice")
	}
	a.Announce("http://two", world.FromTorrent, announce.Request{}, time.Second, done)()
	if a.AwaitAnnounce().Reply(announce.Reply{}) {
		t.Error("a cancelled announce was answered")
	}
	a.Announce("http://three", world.FromTorrent, announce.Request{}, time.Second, done)
	a.AwaitAnnounce().Fail(world.PhaseDNS, io.EOF)
	var e *world.AnnounceError
	if !errors.As(failed, &e) || e.Phase != world.PhaseDNS {
		t.Errorf("failed with %v", failed)
	}
}
