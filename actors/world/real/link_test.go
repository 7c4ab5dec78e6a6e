package real

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/frame"
)

func TestEveryKindBothWays(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b := pair(t)
	if a.Inbound() || !b.Inbound() || a.ID() == b.ID() || a.Remote().Addr() != b.Remote().Addr() {
		t.Errorf("links %+v and %+v", a, b)
	}
	everyKindBothWays(t, a, b)
}

// everyKindBothWays has two links send each other frames of every kind, and
// closes them.
func everyKindBothWays(t *testing.T, a, b messages.Link) {
	t.Helper()
	m := random(1 << 20)
	limits := frame.Limits{Pieces: 12, Extended: 20000}
	ends := []messages.Link{a, b}
	events := []chan any{start(a, limits), start(b, limits)}
	control := []frame.Frame{
		{Kind: frame.Bitfield, Bits: []byte{0xff, 0xf0}}, {Kind: frame.KeepAlive}, {Kind: frame.Choke}, {Kind: frame.Unchoke},
		{Kind: frame.Interested}, {Kind: frame.NotInterested}, {Kind: frame.Have, Index: 7},
		{Kind: frame.Request, Index: 1, Begin: 2, Length: 3}, {Kind: frame.Cancel, Index: 1, Begin: 2, Length: 3},
		{Kind: frame.Port, Index: 6881},
		{Kind: frame.Extended, Index: 1, Bits: []byte("de")},
	}
	var out []messages.Outgoing
	var want []frame.Frame
	for i, f := range control {
		p := m.piece(i*buffer.Size, buffer.Size-i)
		out = append(out, messages.Outgoing{Frame: f}, p)
		want = append(want, f, p.Frame)
	}
	part := bytes.Repeat([]byte("part"), 4<<10)
	out = append(out, messages.Outgoing{Frame: frame.Frame{Kind: frame.Extended, Index: 2, Bits: []byte("de")}, Tail: part})
	want = append(want, frame.Frame{Kind: frame.Extended, Index: 2, Bits: append([]byte("de"), part...)})
	for i, l := range ends {
		ends[1-i].Expect(i * len(control))
		l.Send(out)
	}
	clear(out)
	for i, l := range ends {
		got := take(t, l, events[i], len(want))
		for j, f := range got {
			if f.Kind != frame.Piece {
				continue
			}
			off := int(f.Index)*buffer.Size + int(f.Begin)
			if !bytes.Equal(f.Block.Bytes(), m.data[off:off+int(f.Length)]) {
				t.Errorf("payload of frame %d is wrong", j)
			}
			f.Block.Release()
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(frame.Frame{}, "Block")); d != "" {
			t.Error(d)
		}
	}
	a.Close(errReason)
	if err := <-lastOf(events[0]); err != errReason {
		t.Error(err)
	}
	if err := <-lastOf(events[1]); err == nil {
		t.Error("closed without an error")
	}
}

func TestTransfer(t *testing.T) {
	defer goleak.VerifyNone(t)
	const size, blocks, window = 64 << 20, 64 << 20 / buffer.Size, 100
	a, b := pair(t)
	m := random(size)
	in, sent := start(a, frame.Limits{}), start(b, frame.Limits{})

	pieces, payload, asked := 0, 0, 0
	send := func(n int) {
		var out []messages.Outgoing
		for ; n > 0 && asked < blocks; n-- {
			out = append(out, m.piece(asked*buffer.Size, buffer.Size))
			asked++
		}
		b.Send(out)
	}
	a.Expect(window)
	send(window)
	for got := 0; got < blocks; {
		select {
		case e := <-in:
			batch := e.(*messages.FramesReceived)
			for _, f := range batch.Frames {
				if int(f.Index) != got || !bytes.Equal(f.Block.Bytes(), m.data[got*buffer.Size:][:buffer.Size]) {
					t.Fatalf("block %d is wrong", got)
				}
				f.Block.Release()
				got++
			}
			a.Expect(min(window, blocks-got))
			a.Done(batch)
		case e := <-sent:
			s := e.(*messages.FramesSent)
			pieces, payload = pieces+s.Pieces, payload+s.Payload
			send(s.Pieces)
		}
	}
	b.Close(nil)
	for e := range sent {
		if s, ok := e.(*messages.FramesSent); ok {
			pieces, payload = pieces+s.Pieces, payload+s.Payload
			continue
		}
		break
	}
	// The report of the last write may have been cut off by the close.
	if pieces > blocks || pieces < blocks-window || payload != pieces*buffer.Size {
		t.Errorf("told of %d pieces and %d bytes sent", pieces, payload)
	}
	if err := closing(t, a, in); err != io.EOF {
		t.Error(err)
	}
	if live := a.(*link).pool.Stats().Live; live != 0 {
		t.Errorf("%d blocks are still held", live)
	}
}

func TestByteByByte(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, conn := rawPair(t)
	defer conn.Close()
	h := frame.Handshake{InfoHash: [20]byte{1}, PeerID: [20]byte{2}}
	var stream []byte
	stream = h.Append(stream)
	stream = frame.AppendHeader(stream, frame.Frame{Kind: frame.Have, Index: 9})
	stream = append(frame.AppendHeader(stream, frame.Frame{Kind: frame.Piece, Length: 3}), "abc"...)
	write := func(bytes []byte) {
		for i := range bytes {
			if _, err := conn.Write(bytes[i : i+1]); err != nil {
				t.Error(err)
			}
		}
	}

	// All bytes but the last two are in the socket before frames are read: if
	// reading the handshake took too many bytes, they would be missing.
	write(stream[:len(stream)-2])
	got := make(chan frame.Handshake, 1)
	l.ReadHandshake(time.Minute, nil, func(h frame.Handshake, err error) {
		if err != nil {
			t.Error(err)
		}
		got <- h
	})
	if g := <-got; g != h {
		t.Errorf("handshake %v", g)
	}
	l.Expect(1)
	events := start(l, frame.Limits{})
	write(stream[len(stream)-2:])
	frames := take(t, l, events, 2)
	if frames[0].Index != 9 || string(frames[1].Block.Bytes()) != "abc" {
		t.Errorf("%v", frames)
	}
	frames[1].Block.Release()

	l.SendHandshake(h)
	l.Send([]messages.Outgoing{{Frame: frame.Frame{Kind: frame.Unchoke}}})
	answer := make([]byte, frame.HandshakeLen+5)
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, append(h.Append(nil), 0, 0, 0, 1, 1)) {
		t.Errorf("%q, %v", answer, err)
	}
	l.Close(nil)
	if err := closing(t, l, events); err != errClosed {
		t.Error(err)
	}
}

func TestCreditsHoldBackAFlood(t *testing.T) {
	l, conn := rawPair(t)
	defer conn.Close()
	const frames = 1 << 20
	go func() { _, _ = conn.Write(make([]byte, 4*frames)) }()
	l.Expect(128) // the flood comes where blocks are expected
	events := start(l, frame.Limits{})
	var held []*messages.FramesReceived
	for total := 0; total < frames; {
		if len(held) == batchesAhead {
			select {
			case e := <-events:
				t.Fatalf("%T beyond the credits", e)
			default:
			}
			l.Done(held[0])
			held = held[1:]
		}
		batch := (<-events).(*messages.FramesReceived)
		if len(batch.Frames) > maxBatch {
			t.Fatalf("batch of %d frames", len(batch.Frames))
		}
		total += len(batch.Frames)
		held = append(held, batch)
	}
	l.Close(errReason)
	if err := closing(t, l, events); err != errReason {
		t.Error(err)
	}
}
