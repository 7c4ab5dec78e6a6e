package hasher

import (
	"cmp"
	"slices"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/files"
	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// window is how many blocks of a piece on disk a worker reads at a time: 1 MiB,
// because long reads cost least a byte.
const window = 64

// worker is the core of a hash worker. It hashes what it can side by side, and
// does the rest one job at a time.
type worker struct {
	Config
	disk *files.Barrier

	jobs []*Job // that follow
	job  *Job   // under way
	// step is the next step of the job, nil if the job is done. It returns false
	// if the disk has to answer before the step after it.
	step func() bool

	many   world.Hashes // for pieces side by side
	one    world.Hash   // for one piece
	sum    metainfo.Hash
	at     int      // index of the first of the job's blocks in view
	view   [][]byte // bytes of the blocks from at on
	loans  []*buffer.Block
	bufs   [][]byte                       // on their way to the disk
	todo   [digest.Lanes][]assembly.Block // to be hashed, of pieces side by side
	strips [digest.Lanes][]byte
	checker
}

func newWorker(cfg Config, wake func()) *worker {
	return &worker{Config: cfg, disk: files.NewBarrier(wake), one: cfg.Digest.One(), many: cfg.Digest.Many()}
}

// take begins with a batch; next goes on with it.
func (w *worker) take(jobs []*Job) {
	w.jobs = jobs
	w.hashTogether()
}

// next works until a job is done and returns that job, or nil if all are done
// or the worker waits for the disk.
func (w *worker) next() *Job {
	if w.job == nil {
		if len(w.jobs) == 0 {
			return nil
		}
		w.job, w.jobs = w.jobs[0], w.jobs[1:]
		w.begin(w.job)
	}
	for w.disk.Err() == nil && w.step != nil {
		if !w.step() {
			return nil
		}
	}
	j := w.job
	j.Err = cmp.Or(j.Err, w.disk.Err())
	w.Pool.ReleaseAll(w.loans)
	w.loans = w.loans[:0]
	clear(w.view)
	clear(w.bufs)
	w.job, w.step = nil, nil
	return j
}

// hashTogether hashes the pieces of a batch side by side, if there are several.
// The queue puts a job into a batch with others only if all that is to be
// hashed is in memory, and follows what is hashed.
func (w *worker) hashTogether() {
	if len(w.jobs) < 2 {
		return
	}
	w.many.Reset()
	for i, j := range w.jobs {
		w.todo[i] = j.Blocks[j.unhashed():]
		if p := &j.Hashed; p.Bytes > 0 {
			must(w.many.Resume(i, p.Bytes, p.State))
		}
	}
	for at := 0; ; at++ {
		more := false
		for i := range w.jobs {
			w.strips[i] = nil
			if at < len(w.todo[i]) {
				w.strips[i], more = w.todo[i][at].Data.Bytes(), true
			}
		}
		if !more {
			break
		}
		w.many.Write(w.strips[:len(w.jobs)]...)
	}
	for i, j := range w.jobs {
		if j.Task == Verify {
			j.Good, j.hashed = w.many.Sum(i) == w.Torrent.PieceHash(j.Piece.Index), true
			continue
		}
		for _, b := range w.todo[i] {
			j.Hashed.Bytes += int64(b.Length)
		}
		var err error
		j.Hashed.State, err = w.many.AppendState(i, j.Hashed.State[:0])
		must(err)
	}
	clear(w.todo[:])
}

// must fails if a hash could not take or give its state, which no hash of
// package world does.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (w *worker) begin(j *Job) {
	w.disk.Reset()
	j.Err, j.Sums, j.Right, j.Blank = nil, j.Sums[:0], j.Right[:0], j.Blank[:0]
	j.Filled = j.Filled[:0]
	switch {
	case j.hashed && j.Good:
		w.step = w.write
		return
	case j.hashed: // wrong: once more, for the hash of each block
		j.hashed, j.sum = false, true
	}
	j.Good = false
	switch j.Task {
	case Check:
		w.startCheck()
	case Verify:
		w.startHash()
	case Spill:
		w.extend()
		w.step = w.write
	}
}

// extend hashes those blocks of the job that directly follow the part of the
// piece that is already hashed.
func (w *worker) extend() {
	p := &w.job.Hashed
	w.resume(p)
	bytes := p.Bytes
	for _, b := range w.job.Blocks {
		if int64(b.Begin) == bytes {
			w.one.Write(b.Data.Bytes())
			bytes += int64(b.Length)
		}
	}
	state, err := w.one.AppendBinary(p.State[:0])
	must(err)
	p.Bytes, p.State = bytes, state
}

// resume sets the hash to its state after the prefix.
func (w *worker) resume(p *assembly.Prefix) {
	w.one.Reset()
	if p.Bytes > 0 {
		must(w.one.UnmarshalBinary(p.State))
	}
}

// startHash begins to hash the blocks of a whole piece: after the part that is
// already hashed or, if the hash of each block is needed, from the beginning.
func (w *worker) startHash() {
	w.one.Reset()
	w.at, w.view = 0, w.view[:0]
	if p := &w.job.Hashed; !w.job.sum && p.Bytes > 0 {
		w.resume(p)
		w.at = slices.IndexFunc(w.job.Blocks, func(b assembly.Block) bool { return int64(b.Begin) >= p.Bytes })
		if w.at < 0 {
			w.at = len(w.job.Blocks)
		}
	}
	w.step = w.load
}

// load brings the next blocks into view, reading those that are on disk.
func (w *worker) load() bool {
	w.at += len(w.view)
	w.view = w.view[:0]
	if w.at == len(w.job.Blocks) {
		return w.judge()
	}
	blocks := w.job.Blocks[w.at:min(w.at+window, len(w.job.Blocks))]
	lent := 0
	for _, b := range blocks {
		if b.Data != nil {
			w.view = append(w.view, b.Data.Bytes())
			continue
		}
		if lent == len(w.loans) {
			w.loans = append(w.loans, w.Pool.Get())
		}
		w.view = append(w.view, w.loans[lent].Bytes()[:b.Length])
		lent++
	}
	w.step = w.digest
	w.disk.Close()
	for from := 0; from < len(blocks); {
		to := run(blocks, from)
		if blocks[from].Data == nil {
			w.Files.Transfer(files.Reread, w.view[from:to], w.offset(blocks[from]), w.disk.Expect())
		}
		from = to
	}
	return w.disk.Passed()
}

// run is the end of the run of blocks that begins with index from: they follow
// each other without a gap, and all are in memory or all on disk.
func run(blocks []assembly.Block, from int) int {
	to := from + 1
	for to < len(blocks) && (blocks[to].Data == nil) == (blocks[from].Data == nil) &&
		blocks[to].Begin == blocks[to-1].Begin+blocks[to-1].Length {
		to++
	}
	return to
}

// offset is where a block of the job is in the content.
func (w *worker) offset(b assembly.Block) int64 {
	return int64(w.job.Piece.Index)*w.Torrent.PieceLength + int64(b.Begin)
}

// digest hashes what is in view.
func (w *worker) digest() bool {
	for _, b := range w.view {
		if w.job.sum {
			w.job.Sums = append(w.job.Sums, w.Digest.Sum(b))
		}
		w.one.Write(b)
	}
	w.step = w.load
	return true
}

// judge compares the hash of the piece with what it should be.
func (w *worker) judge() bool {
	j := w.job
	w.one.Sum(w.sum[:0])
	j.Good = w.sum == w.Torrent.PieceHash(j.Piece.Index)
	switch {
	case j.Good:
		w.step = w.write
	case !j.sum: // once more, for the hash of each block
		j.sum = true
		w.startHash()
	default:
		w.step = nil
	}
	return true
}

// write writes the blocks that are in memory, those that follow each other with
// one call.
func (w *worker) write() bool {
	w.step = nil
	w.bufs = w.bufs[:0]
	for _, b := range w.job.Blocks {
		if b.Data != nil {
			w.bufs = append(w.bufs, b.Data.Bytes())
		}
	}
	w.disk.Close()
	bufs := w.bufs
	for from := 0; from < len(w.job.Blocks); {
		to := run(w.job.Blocks, from)
		if w.job.Blocks[from].Data != nil {
			n := to - from
			w.Files.Transfer(files.Write, bufs[:n], w.offset(w.job.Blocks[from]), w.disk.Expect())
			bufs = bufs[n:]
		}
		from = to
	}
	return w.disk.Passed()
}
