package store

import (
	"testing"
	"time"

	"kouzui/actors/store/assembly"
	"kouzui/actors/store/files"
	"kouzui/actors/store/hasher"
	"kouzui/actors/store/keeper"
	"kouzui/actors/store/resume"
	"kouzui/actors/store/storetest"
	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

// TestWorkOfAnEarlierIncarnationIsDropped hands a store that has just begun
// what hash workers and the keeper of an earlier incarnation have sent: a store
// that is restarted together with a sibling keeps its mailbox.
func TestWorkOfAnEarlierIncarnationIsDropped(t *testing.T) {
	for _, task := range []hasher.Task{hasher.Verify, hasher.Spill, hasher.Check} {
		s := storetest.New(t, 50_000, 150_000)
		pool := buffer.NewPool(4)
		core := newCore(Config{Torrent: s.Torrent, Memory: 1 << 20, Pool: pool}, files.New(s.Torrent, 8, func(int, error) {}, func() {}), 1, world.Machine{Together: 9})
		look := core.keeper.chore
		job := &hasher.Job{Task: task, Good: true}
		if task != hasher.Check {
			job.Piece = &assembly.Piece{Blocks: []assembly.Block{{Length: 1, Data: pool.Get()}}}
			job.Blocks = job.Piece.Blocks
		}
		core.jobDone(job, time.Time{})
		core.choreDone(&keeper.Chore{Task: keeper.Look, Found: &resume.Found{}})
		core.choreDone(&keeper.Chore{Task: keeper.Save})
		core.advance()
		if live := pool.Stats().Live; live != 0 {
			t.Errorf("task %d: %d blocks are not released", task, live)
		}
		if core.phase != starting || core.found != nil || core.keeper.chore != look || core.out.failed != nil {
			t.Errorf("task %d: phase %v, found %v, chore %v, failed %v", task, core.phase, core.found, core.keeper.chore, core.out.failed)
		}
	}
}
