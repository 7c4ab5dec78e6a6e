package web

import (
	"slices"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

// transfer is a run under way. The run is cut into spans, one for each file
// that it reaches into: each is a range to ask for, but those of padding, which
// is zeros. A block may be made of several spans.
type transfer struct {
	torrent  *metainfo.Torrent
	blocks   []messages.Block
	at       int              // blocks before it have come
	partial  *buffer.Block    // the beginning of blocks[at]; nil: none of it has come
	spans    []metainfo.Span  // that have not come; the first is under way
	unwanted []messages.Block // of blocks, those that are not wanted any more
	stored   []messages.StoredBlock
	wasted   int64 // bytes
}

// newTransfer begins with a run of blocks, none of which lies behind the end of
// the content.
func newTransfer(t *metainfo.Torrent, run []messages.Block) *transfer {
	first := int64(run[0].Piece)*t.PieceLength + int64(run[0].Begin)
	return &transfer{torrent: t, blocks: run, spans: t.AppendSpans(nil, first, int64(lengthOf(run)))}
}

// next is the range to be asked for next, without its URL; false: all has come.
func (f *transfer) next(pool *buffer.Pool) (*world.FetchRange, bool) {
	for len(f.spans) > 0 {
		span := f.spans[0]
		file := &f.torrent.Files[span.File]
		if !file.Padding {
			return &world.FetchRange{Offset: span.Offset, Size: file.Length, Chunks: f.chunks(span.Length)}, true
		}
		for _, n := range f.chunks(span.Length) {
			zeros := pool.Get()
			zeros.SetLen(n)
			clear(zeros.Bytes())
			f.take(zeros)
		}
		f.rangeDone()
	}
	return nil, false
}

// chunks cuts the next bytes where blocks end.
func (f *transfer) chunks(length int64) (lengths []int) {
	have := 0
	if f.partial != nil {
		have = len(f.partial.Bytes())
	}
	for at := f.at; length > 0; at++ {
		n := min(int64(f.blocks[at].Length)-int64(have), length)
		lengths = append(lengths, int(n))
		length -= n
		have = 0
	}
	return lengths
}

func (f *transfer) rangeDone() { f.spans = f.spans[1:] }

// take takes the next chunk: a whole block, or a part of one.
func (f *transfer) take(b *buffer.Block) {
	if f.at == len(f.blocks) { // never, as nothing more was asked for
		f.wasted += int64(len(b.Bytes()))
		b.Release()
		return
	}
	if f.partial == nil {
		f.partial = b
	} else {
		have := len(f.partial.Bytes())
		f.partial.SetLen(have + len(b.Bytes()))
		copy(f.partial.Bytes()[have:], b.Bytes())
		b.Release()
	}
	block := f.blocks[f.at]
	if len(f.partial.Bytes()) < int(block.Length) {
		return
	}
	if slices.Contains(f.unwanted, block) {
		f.wasted += int64(block.Length)
		f.partial.Release()
	} else {
		if f.stored == nil {
			f.stored = make([]messages.StoredBlock, 0, min(len(f.blocks)-f.at, 16))
		}
		f.stored = append(f.stored, messages.StoredBlock{Block: block, Data: f.partial})
	}
	f.partial = nil
	f.at++
}

// unwant notes that blocks are not wanted any more.
func (f *transfer) unwant(blocks []messages.Block) {
	for _, b := range blocks {
		if slices.Contains(f.blocks[f.at:], b) {
			f.unwanted = append(f.unwanted, b)
		}
	}
}

// left is the blocks that have not come and are still wanted.
func (f *transfer) left() []messages.Block {
	if len(f.unwanted) == 0 {
		return f.blocks[f.at:len(f.blocks):len(f.blocks)]
	}
	return slices.DeleteFunc(slices.Clone(f.blocks[f.at:]), func(b messages.Block) bool { return slices.Contains(f.unwanted, b) })
}

// discard lets go of what has come of a block, and says how much was in vain.
func (f *transfer) discard() (wasted int64) {
	if f.partial != nil {
		wasted = int64(len(f.partial.Bytes()))
		f.partial.Release()
		f.partial = nil
	}
	for i := range f.stored {
		f.stored[i].Data.Release()
	}
	f.stored = nil
	return wasted
}
