package store

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
	"kouzui/wire/digest"
	"kouzui/wire/metainfo"
)

// task is what a job is for.
type task uint8

const (
	taskPiece task = iota // hash the blocks and, if they are right, write them
	taskSpill             // write the blocks, unverified
	taskCheck             // hash what is on disk
)

// job travels from the store to a worker and back. Whoever has it owns it; the
// buffers of its blocks stay the store's.
type job struct {
	owner  *store
	task   task
	piece  int
	part   *partial
	blocks []held // by begin
	pieces []int  // to be checked, up to digest.Lanes, instead of the above
	each   int    // blocks that are read of each at a time
	probe  bool   // the try that tells whether the disk works again
	lost   int    // times that a worker died with it

	prefix prefix // of the piece that has been hashed; a spill adds to it

	good bool            // the hash is right
	has  []bool          // which of pieces are right
	done bool            // it is known whether, from hashing side by side
	sums []metainfo.Hash // of each block, when wanted or when the piece is corrupt
	want bool            // sums are wanted
	err  error           // the disk failed
}

func (j *job) startFrom(p prefix) {
	j.prefix.bytes, j.prefix.state = p.bytes, append(j.prefix.state[:0], p.state...)
}

func (*job) IgnoreDeadLetterLogging() {}

// workerReady: worker to store, at the start of each of its incarnations. A job
// that it had is lost.
type workerReady struct {
	owner *store
	index int
	pid   *actor.PID
	gate  *gate
}

// handed: store to worker or keeper, work for the incarnation whose gate it is.
// What still lies in the mailbox for the one before comes again.
type handed struct {
	gate  *gate
	jobs  []*job
	chore *chore
}

func (*handed) IgnoreDeadLetterLogging() {}

// window is how many blocks of a piece on disk a worker reads at a time: 1 MiB.
const window = 64

// worker hashes, reads and writes. It hashes what it can side by side, and does
// the rest one piece at a time. It may block.
type worker struct {
	owner *store
	index int

	files   *files
	torrent *metainfo.Torrent
	pool    *buffer.Pool
	digests world.Digest

	gate *gate
	jobs []*job // that follow
	job  *job
	step func() bool // what comes when the gate is passed, nil: nothing; false while it waits

	hasher world.Hashes
	hash   world.Hash
	sum    metainfo.Hash
	blocks []held   // of the job
	at     int      // the first of blocks in view
	view   [][]byte // bytes of the blocks from at on
	loans  []*buffer.Block
	bufs   [][]byte // under way to disk
	strips [digest.Lanes][]byte

	checker checker
}

func (w *worker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		w.gate = newGate(c)
		w.hash, w.hasher = w.digests.One(), w.digests.Many()
		c.Send(c.Parent(), &workerReady{w.owner, w.index, c.Self(), w.gate})
	case *handed:
		if m.gate == w.gate {
			w.jobs = m.jobs
			w.hashTogether()
			w.next(c)
		}
	case *moved:
		if m.gate == w.gate { // else of the incarnation before
			if w.proceed(c) {
				w.next(c)
			}
		}
	}
}

// next goes through the jobs until it waits for the disk or has done them all.
func (w *worker) next(c actor.Context) {
	for len(w.jobs) > 0 {
		w.job, w.jobs = w.jobs[0], w.jobs[1:]
		w.begin(w.job)
		if !w.proceed(c) {
			return
		}
	}
}

// hashTogether hashes pieces that are in memory, if it is more than one.
func (w *worker) hashTogether() {
	if len(w.jobs) < 2 {
		return
	}
	w.hasher.Reset()
	for at := 0; ; at++ {
		more := false
		for i, j := range w.jobs {
			w.strips[i] = nil
			if at < len(j.blocks) {
				w.strips[i], more = j.blocks[at].data.Bytes(), true
			}
		}
		if !more {
			break
		}
		w.hasher.Write(w.strips[:len(w.jobs)]...)
	}
	for i, j := range w.jobs {
		j.good, j.done = w.hasher.Sum(i) == w.torrent.PieceHash(j.piece), true
	}
}

func (w *worker) begin(j *job) {
	j.err, j.sums, j.has = nil, j.sums[:0], j.has[:0]
	w.blocks = j.blocks
	switch {
	case j.done && j.good:
		w.startWrite()
		return
	case j.done: // once more, for the sums that may tell who is to blame
		j.done, j.want = false, true
	}
	j.good = false
	switch j.task {
	case taskCheck:
		w.startCheck()
	case taskPiece:
		w.startHash()
	case taskSpill:
		w.extend()
		w.startWrite()
	}
}

// proceed goes on with the job until it waits for the disk, or the job is done.
func (w *worker) proceed(c actor.Context) (done bool) {
	for {
		if w.gate.err != nil {
			w.job.err = w.gate.err
			break
		}
		if w.step == nil {
			break
		}
		if !w.step() {
			return false
		}
	}
	w.pool.ReleaseAll(w.loans)
	w.loans = w.loans[:0]
	clear(w.view)
	clear(w.bufs)
	j := w.job
	w.job, w.step, w.blocks = nil, nil, nil
	c.Send(c.Parent(), j)
	return true
}

// extend hashes those of the blocks that follow the prefix.
func (w *worker) extend() {
	p := &w.job.prefix
	w.resume(p)
	bytes := p.bytes
	for _, b := range w.blocks {
		if int64(b.begin) == bytes {
			w.hash.Write(b.data.Bytes())
			bytes += int64(b.length)
		}
	}
	state, err := w.hash.AppendBinary(p.state[:0])
	if err != nil {
		panic(err) // the standard library's has none
	}
	p.bytes, p.state = bytes, state
}

// resume makes the hash that of the prefix.
func (w *worker) resume(p *prefix) {
	w.hash.Reset()
	if p.bytes > 0 {
		if err := w.hash.UnmarshalBinary(p.state); err != nil {
			panic(err) // it is from AppendBinary
		}
	}
}

func (w *worker) startHash() {
	w.hash.Reset()
	w.at, w.view = 0, w.view[:0]
	if p := &w.job.prefix; !w.job.want && p.bytes > 0 {
		w.resume(p)
		w.at = slices.IndexFunc(w.blocks, func(b held) bool { return int64(b.begin) >= p.bytes })
		if w.at < 0 {
			w.at = len(w.blocks)
		}
	}
	w.gate.err = nil
	w.step = w.load
}

// load brings the next window of blocks into view.
func (w *worker) load() bool {
	w.at += len(w.view)
	w.view = w.view[:0]
	if w.at == len(w.blocks) {
		return w.judge()
	}
	blocks := w.blocks[w.at:min(w.at+window, len(w.blocks))]
	lent := 0
	for _, b := range blocks {
		if b.data != nil {
			w.view = append(w.view, b.data.Bytes())
			continue
		}
		if lent == len(w.loans) {
			w.loans = append(w.loans, w.pool.Get())
		}
		w.view = append(w.view, w.loans[lent].Bytes()[:b.length])
		lent++
	}
	w.step = w.digest
	w.gate.shut()
	for from := 0; from < len(blocks); {
		to := run(blocks, from)
		if blocks[from].data == nil {
			w.files.transfer(toReread, w.view[from:to], w.offset(blocks[from]), w.gate.expect())
		}
		from = to
	}
	return w.gate.passed()
}

// run is the end of the blocks from `from` on that follow each other without a
// gap, all in memory or all on disk.
func run(blocks []held, from int) int {
	to := from + 1
	for to < len(blocks) && (blocks[to].data == nil) == (blocks[from].data == nil) &&
		blocks[to].begin == blocks[to-1].begin+blocks[to-1].length {
		to++
	}
	return to
}

func (w *worker) offset(b held) int64 {
	return int64(w.job.piece)*w.torrent.PieceLength + int64(b.begin)
}

// digest hashes what is in view.
func (w *worker) digest() bool {
	for _, b := range w.view {
		if w.job.want {
			w.job.sums = append(w.job.sums, w.digests.Sum(b))
		}
		w.hash.Write(b)
	}
	w.step = w.load
	return true
}

// judge compares the hash, now that all blocks have gone into it.
func (w *worker) judge() bool {
	j := w.job
	w.hash.Sum(w.sum[:0])
	j.good = w.sum == w.torrent.PieceHash(j.piece)
	switch {
	case j.good:
		w.startWrite()
	case !j.want: // once more, for the sums that may tell who is to blame
		j.want = true
		w.startHash()
	default:
		w.step = nil
	}
	return true
}

func (w *worker) startWrite() {
	w.gate.err = nil
	w.step = w.write
}

// write has the blocks that are in memory written, in as few calls as they have
// gaps.
func (w *worker) write() bool {
	w.step = nil
	w.bufs = w.bufs[:0]
	for _, b := range w.blocks {
		if b.data != nil {
			w.bufs = append(w.bufs, b.data.Bytes())
		}
	}
	w.gate.shut()
	bufs := w.bufs
	for from := 0; from < len(w.blocks); {
		to := run(w.blocks, from)
		if w.blocks[from].data != nil {
			n := to - from
			w.files.transfer(toWrite, bufs[:n], w.offset(w.blocks[from]), w.gate.expect())
			bufs = bufs[n:]
		}
		from = to
	}
	return w.gate.passed()
}
