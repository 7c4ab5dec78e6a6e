//go:build linux

package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
)

// Run is one transfer: what the measured client used for it.
type Run struct {
	Part      string  `json:"part"`
	Seed      bool    `json:"seed"`
	Scenario  string  `json:"scenario"`
	Round     int     `json:"round"`
	Client    string  `json:"client"`
	CPU       float64 `json:"cpu_seconds_per_gib"` // GiB that it received or served
	Wall      float64 `json:"wall_seconds"`
	Synced    float64 `json:"synced_seconds"` // until all of it lies on the disk, for certain
	Resident  int64   `json:"resident_bytes"`
	Anonymous int64   `json:"anonymous_bytes"`

	Spent map[string]int `json:"spent_samples,omitempty"` // by what on, in a profile
}

// transferTimeout is longer than any transfer takes.
const transferTimeout = 2 * time.Minute

// transfer is one run under way.
type transfer struct {
	scenario
	client  participant
	partner participant
	content *noise.Content
	home    string // an empty folder

	seed, leech participant
	seeder      *counterpart.Process
	leeches     []*counterpart.Process
	folders     []string // where each of them downloads to
	before      counterpart.Usage
	begin       time.Time

	recording *recording // nil if it is not profiled
}

// run plays the scenario with the client and its partner, and compares every
// downloaded byte.
func (t *transfer) run(ctx context.Context) (r Run, err error) {
	ctx, cancel := context.WithTimeout(ctx, transferTimeout)
	defer cancel()
	defer t.stop()
	t.seed, t.leech = t.partner, t.client
	if t.seeds {
		t.seed, t.leech = t.leech, t.seed
	}
	if t.profiled {
		t.leech.Dials = false // sampling begins when it is ready, before it transfers anything
	}
	for i := range t.downloaders {
		t.folders = append(t.folders, filepath.Join(t.home, "leech"+strconv.Itoa(i), "data"))
	}
	t.leeches = make([]*counterpart.Process, t.downloaders)
	if t.disk {
		unix.Sync() // data of earlier runs must not be written during this one
	}
	if err := t.connect(ctx); err != nil {
		return r, err
	}
	measured := t.leeches[0]
	if t.seeds {
		measured = t.seeder
	}
	var anonymous int64
	look := often(func() { anonymous = max(anonymous, measured.Usage().Anonymous) })
	err = t.each(func(i int) error { return t.leeches[i].Complete(ctx) })
	wall, after := time.Since(t.begin), measured.Usage()
	look()
	if err != nil {
		return r, err
	}
	var spent map[string]int
	if t.recording != nil {
		stacks, err := t.recording.stacks(ctx)
		if err != nil {
			return r, err
		}
		spent = shares(stacks)
	}
	if err := syncAll(t.home); err != nil {
		return r, err
	}
	synced := time.Since(t.begin)
	r = Run{
		Client: t.client.Name, Seed: t.seeds, Scenario: t.name,
		CPU:  (after.CPU - t.before.CPU).Seconds() / (float64(t.total()) / gib),
		Wall: wall.Seconds(), Synced: synced.Seconds(),
		Resident: after.Peak, Anonymous: max(anonymous, after.Anonymous), Spent: spent,
	}
	return r, t.each(func(i int) error { return t.content.Verify(t.folders[i], true) })
}

// connect starts both sides. The side that dials starts last, when the other
// side is ready and memory is warm. A download is measured from its start, a
// seed from the moment at which it is ready.
func (t *transfer) connect(ctx context.Context) error {
	if t.leech.Dials {
		if err := t.startSeed(ctx); err != nil {
			return err
		}
		if t.seeds {
			t.before = t.seeder.Usage()
		}
		if err := t.warm(ctx); err != nil {
			return err
		}
		t.begin = time.Now()
		return t.startLeeches(ctx, t.seeder.Addr)
	}
	if err := t.startLeeches(ctx); err != nil {
		return err
	}
	if t.profiled {
		var err error
		if t.recording, err = record(ctx, t.leeches[0].Pid(), t.home); err != nil {
			return err
		}
	}
	if err := t.warm(ctx); err != nil {
		return err
	}
	err := t.startSeed(ctx, t.leeches[0].Addr)
	t.begin = time.Now() // the seed has checked its data and connects now
	return err
}

func (t *transfer) startSeed(ctx context.Context, peers ...string) error {
	task, err := t.task(filepath.Join(t.home, "seed", "data"), peers)
	if err != nil {
		return err
	}
	if err := t.content.Link(task.Dir); err != nil {
		return err
	}
	task.Seed = true
	t.seeder, err = t.seed.Start(ctx, task)
	return err
}

func (t *transfer) startLeeches(ctx context.Context, peers ...string) error {
	return t.each(func(i int) error {
		task, err := t.task(t.folders[i], peers)
		if err != nil {
			return err
		}
		t.leeches[i], err = t.leech.Start(ctx, task)
		return err
	})
}

func (t *transfer) task(data string, peers []string) (counterpart.Task, error) {
	task := counterpart.Task{
		Torrent: t.content.Torrent, Hash: t.content.Info.InfoHash.String(), Place: counterpart.NewPlace(),
		Home: filepath.Join(filepath.Dir(data), "home"), Dir: data, Peers: peers, Stay: true,
	}
	for _, folder := range []string{task.Home, task.Dir} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return task, err
		}
	}
	return task, nil
}

// each does something for all downloaders at once.
func (t *transfer) each(do func(i int) error) error {
	var all errgroup.Group
	for i := range t.downloaders {
		all.Go(func() error { return do(i) })
	}
	return all.Wait()
}

func (t *transfer) stop() {
	for _, p := range append(t.leeches, t.seeder) {
		if p != nil {
			p.Stop()
		}
	}
}

// total is how much is downloaded.
func (t *transfer) total() int64 { return t.content.Info.Length * int64(t.downloaders) }

// warm keeps memory warm until the downloads fill it, or ctx ends.
func (t *transfer) warm(ctx context.Context) error {
	r, err := t.fill(t.total() + ahead)
	if err != nil {
		return err
	}
	r.shrink(t.total())
	stop := often(func() {
		if n := written(t.folders); n > 0 {
			r.shrink(t.total() - n - ahead)
		}
	})
	context.AfterFunc(ctx, func() {
		stop()
		r.shrink(0)
	})
	return nil
}

func (t *transfer) fill(size int64) (reserve, error) {
	if t.disk {
		return fillCache(t.home, size)
	}
	return fillPages(size)
}

// often calls do again and again, until the returned function is called. That
// function waits for the last call of do.
func often(do func()) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				do()
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// written is how much memory, or disk, the files in the folders take.
func written(folders []string) (n int64) {
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, _ error) error {
			const block = 512
			var s unix.Stat_t
			if unix.Stat(path, &s) == nil {
				n += s.Blocks * block
			}
			return nil
		})
	}
	return n
}

// syncAll writes all data that the filesystem of folder still holds in memory.
func syncAll(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}
