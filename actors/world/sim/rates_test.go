package sim

import (
	"testing"
	"time"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

// A transfer takes as long as the slower of the two links and the delays make
// it.
func TestRatesAndDelays(t *testing.T) {
	const blocks = 64 // 1 MiB
	for _, tc := range []struct {
		name     string
		from, to Class
		least    time.Duration
	}{
		{"narrow up", Class{Up: 1 << 20}, Class{}, time.Second},
		{"narrow down", Class{Up: 8 << 20}, Class{Down: 1 << 20}, time.Second},
		{"only far", Class{Delay: 30 * time.Millisecond}, Class{Delay: 20 * time.Millisecond}, 50 * time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := New(1, nil)
			ours, theirs, _, b := pair(t, s, tc.from, tc.to)
			began := s.Elapsed()
			ours.send(blocks)
			for s.Step() {
			}
			took := theirs.at.Sub(Epoch) - began
			if theirs.bytes != blocks*buffer.Size || took < tc.least || took > tc.least+tc.least/20 {
				t.Errorf("%d bytes take %v, want %v and a little", theirs.bytes, took, tc.least)
			}
			if live := b.Pool.Stats().Live; live != 0 {
				t.Errorf("%d blocks are left", live)
			}
		})
	}
}

// Connections of one host share its uplink evenly. Packets have headers.
func TestConnectionsShareTheUplink(t *testing.T) {
	const each = (2 << 20) * packet / (packet + header)
	s := New(1, nil)
	a := s.NewHost("a", Class{Up: 1 << 20})
	var takers []*end
	for _, name := range []string{"b", "c", "d"} {
		ours, theirs := connect(t, s, a, s.NewHost(name, Class{}))
		ours.send(256)
		takers = append(takers, theirs)
	}
	_ = s.Run(s.Elapsed()+6*time.Second, func() bool { return false })
	for _, e := range takers {
		if e.bytes < each-4*buffer.Size || e.bytes > each+4*buffer.Size {
			t.Errorf("one has got %d bytes of 6 s, not %d", e.bytes, each)
		}
	}
}

// What is written to a connection is sent, as far as its sender hears, once it
// is in the send buffer; what waits there comes before everything that is
// written later.
func TestSendBuffer(t *testing.T) {
	const room = 8 * buffer.Size
	s := New(1, nil)
	ours, theirs, _, _ := pair(t, s, Class{Up: 1 << 20, SendBuffer: room}, Class{})
	sent := 0
	ours.link.Start(frame.Limits{}, func(m any) {
		if m, is := m.(*messages.FramesSent); is {
			sent += m.Payload
		}
	})
	ours.send(64)
	if sent != room {
		t.Errorf("%d bytes are in a buffer of %d", sent, room)
	}
	for theirs.bytes == 0 && s.Step() {
	}
	if sent != room+buffer.Size {
		t.Errorf("%d bytes are sent when the first block has left", sent)
	}
	for s.Step() {
	}
	if sent != 64*buffer.Size || theirs.bytes != sent {
		t.Errorf("%d bytes are sent, and %d have arrived", sent, theirs.bytes)
	}
}

// What a host receives is acknowledged, which takes room on its own uplink.
func TestAcknowledgements(t *testing.T) {
	took := func(receives bool) time.Duration {
		s := New(1, nil)
		ours, theirs, a, b := pair(t, s, Class{Up: 1 << 20}, Class{})
		if receives {
			others, _ := connect(t, s, b, a)
			others.send(256)
		}
		ours.send(64)
		for s.Step() {
		}
		return theirs.at.Sub(Epoch)
	}
	alone, both := took(false), took(true)
	acks := 4 * time.Second * header / (perAck * packet) // of 4 MiB
	if more := both - alone; more < acks*9/10 || more > acks*11/10 {
		t.Errorf("a host that receives 4 MiB takes %v longer to send, not %v", more, acks)
	}
}

// Before a busy uplink there is a queue, in which what has had its turn waits.
func TestQueueBeforeABusyUplink(t *testing.T) {
	const queue = 250 * time.Millisecond
	first := func(queue time.Duration, busy bool) time.Duration {
		s := New(1, nil)
		ours, theirs, a, b := pair(t, s, Class{Up: 1 << 20, Queue: queue}, Class{})
		if busy {
			for range 2 {
				others, _ := connect(t, s, a, b)
				others.send(256)
			}
		}
		began := s.Elapsed()
		ours.send(1)
		for theirs.bytes == 0 && s.Step() {
		}
		return s.Elapsed() - began
	}
	if idle, without := first(queue, false), first(0, false); idle != without {
		t.Errorf("a block takes %v past an uplink at rest, not %v", idle, without)
	}
	if busy, without := first(queue, true), first(0, true); busy != without+queue {
		t.Errorf("a block takes %v past a busy uplink, not %v", busy, without+queue)
	}
}
