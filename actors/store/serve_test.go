package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"

	"kouzui/actors/store/storetest"
	"kouzui/messages"
)

// servable asks which of these pieces may be served.
func (r *rig) servable(pieces ...uint32) *messages.PiecesServable {
	r.Helper()
	r.tell(&messages.QueryServable{Link: 7, Pieces: pieces, ReplyTo: r.scheduler})
	answer := await[*messages.PiecesServable](r)
	if answer.Link != 7 || !slices.Equal(answer.Pieces, pieces) {
		r.Errorf("asked for %d, answered %+v", pieces, answer)
	}
	return answer
}

// wantContent asks for the pieces of blocks, and reads and compares these.
func (r *rig) wantContent(blocks ...messages.Block) {
	r.Helper()
	for _, b := range blocks {
		may := r.servable(b.Piece)
		if len(may.Runs) != 1 || !may.Runs[0].Holds(b.Piece) {
			r.Errorf("of piece %d there is %v", b.Piece, may.Runs)
		}
		got := make([]byte, b.Length)
		half := len(got) / 2
		answer := make(chan error, 1)
		may.Source.ReadBlocks([][]byte{got[:half], got[half:]}, int64(b.Piece)*r.PieceLength+int64(b.Begin), func(err error) { answer <- err })
		if err := <-answer; err != nil || !bytes.Equal(got, r.Bytes(b)) {
			r.Errorf("block %v is not what it should be: %v", b, err)
		}
	}
}

func TestOnlyVerifiedIsServed(t *testing.T) {
	w := newWorld()
	s := storetest.New(t, 50_000, 100, 0, 70_000, 200_000)
	r := begun(t, w.World(), s)
	r.send(1, nil, s.Blocks(1)...)
	await[*messages.PieceVerified](r)
	r.send(1, nil, s.Blocks(2)[0])
	r.wantContent(s.Blocks(1)...)

	if runs := r.servable(0, 1, 2, 1, 99).Runs; !slices.Equal(runs, []messages.PieceRun{{From: 1, To: 2}}) {
		t.Errorf("may serve %v", runs)
	}

	// The source serves on when the data takes its final name, and refuses when
	// the store has ended.
	source := r.servable(1).Source
	r.sendAll()
	await[*messages.StoreFinished](r)
	if runs := r.servable(3, 0).Runs; !slices.Equal(runs, []messages.PieceRun{{From: 0, To: uint32(s.PieceCount())}}) {
		t.Errorf("of what is complete it serves %v", runs)
	}
	r.wantContent(s.Blocks(1)...)
	r.wantContent(s.Blocks(4)...)
	outside := func(off int64) (err error) {
		source.ReadBlocks([][]byte{make([]byte, 10)}, off, func(e error) { err = e })
		return err
	}
	if err := outside(s.Length - 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("past the end: %v", err)
	}
	r.stop()
	if err := outside(0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after the store: %v", err)
	}
}
