//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/internal/shaped"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

const (
	// swarmTimeout is longer than any swarm takes.
	swarmTimeout = 4 * time.Minute
	// settle is how long a swarm goes on when all are complete: what is under way
	// still comes, and is counted.
	settle = time.Second
	// endWithin is how long a client may take to end.
	endWithin = 6 * time.Second

	peerPort, trackerPort = 6881, 6969
)

// Run is one swarm that was played.
type Run struct {
	Swarm string  `json:"swarm"`
	Team  string  `json:"team"`
	Round int     `json:"round"`
	Last  float64 `json:"last_seconds"`     // from the first arrival until all were complete
	Out   float64 `json:"all_out_seconds"`  // until every piece was with a leecher
	First float64 `json:"copies_until_out"` // what the seed had sent by then, in contents
	Sent  float64 `json:"copies_in_all"`    // and in the end
	Nodes []Node  `json:"nodes"`            // leechers
}

// Node is a leecher of a run.
type Node struct {
	Client    string  `json:"client"`
	Up        int64   `json:"up_bytes_per_second"`
	Arrived   float64 `json:"arrived_seconds"` // since the first of all
	Took      float64 `json:"took_seconds"`    // from its arrival until it was complete
	Redundant int64   `json:"redundant_bytes"` // as it says itself; negative: it does not
	Received  int64   `json:"received_bytes"`  // all that TCP carried to it
}

// waste is the redundant bytes, as a part of the content. Of a client that does
// not tell, messages of the protocol count too.
func (n Node) waste() float64 {
	if n.Redundant < 0 {
		return float64(n.Received-contentLength) / contentLength
	}
	return float64(n.Redundant) / contentLength
}

// playing is a swarm under way.
type playing struct {
	swarm
	team
	home    string
	network *shaped.Network
	content *noise.Content

	mu    sync.Mutex // guards the fields below
	begin time.Time  // the first arrival
	out   []bool     // which pieces are with a leecher
	left  int        // how many are not
	run   Run
	err   error
}

// play lets a team play a swarm. The tracker is that of a kouzui.
func play(ctx context.Context, s swarm, t team, tracker string, round int) (r Run, err error) {
	if t.simulator != "" {
		return simulate(ctx, s, t.simulator, round+1)
	}
	ctx, cancel := context.WithTimeout(ctx, swarmTimeout)
	defer cancel()
	p := &playing{swarm: s, team: t, run: Run{Nodes: make([]Node, leechers)}}
	if p.network, err = shaped.New(s.links()); err != nil {
		return r, err
	}
	defer p.network.Close()
	if p.home, err = os.MkdirTemp(*dir, "kouzui-swarm"); err != nil {
		return r, err
	}
	defer os.RemoveAll(p.home)
	at := counterpart.Place{Host: p.network.Bridge.String(), Port: trackerPort}
	told := counterpart.KouzuiTracker(tracker)
	p.content, err = noise.New(p.home, "swarm", pieceLength, []metainfo.FileSpec{{Length: contentLength}}, told.Announce(at)...)
	if err != nil {
		return r, err
	}
	p.left = contentLength / pieceLength
	p.out = make([]bool, p.left)
	tracking, err := told.Start(ctx, p.home, at, p.content.Info.InfoHash.String())
	if err != nil {
		return r, err
	}
	defer tracking.Stop()
	return p.all(ctx, told)
}

// all plays the seed and then the leechers, until all are complete.
func (p *playing) all(ctx context.Context, tracker counterpart.Tracker) (r Run, err error) {
	task, err := p.task(0, "seed")
	if err != nil {
		return r, err
	}
	if err := p.content.Link(task.Dir); err != nil {
		return r, err
	}
	task.Seed, task.SuperSeed = true, p.hides
	seed, err := p.seed.client.Start(ctx, task)
	if err != nil {
		return r, err
	}
	defer seed.Stop()
	if err := tracker.Knows(ctx, p.content, 1); err != nil {
		return r, err
	}
	started := time.Now()
	over, whole := make(chan struct{}), sync.WaitGroup{}
	whole.Add(leechers)
	var group errgroup.Group
	broken, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for i := range leechers {
		group.Go(func() error {
			err := p.leech(broken, i, started.Add(p.arrival(i)), whole.Done, over)
			if err != nil {
				stop(err)
			}
			return err
		})
	}
	go func() {
		defer close(over)
		finished := make(chan struct{})
		go func() { whole.Wait(); close(finished) }()
		select {
		case <-finished:
			time.Sleep(settle)
		case <-broken.Done():
		}
	}()
	if err := group.Wait(); err != nil {
		return r, err
	}
	return p.result()
}

func (p *playing) task(host int, name string) (task counterpart.Task, err error) {
	h := &p.network.Hosts[host]
	task = counterpart.Task{
		Torrent: p.content.Torrent, Hash: p.content.Info.InfoHash.String(), Place: counterpart.Place{Host: h.Addr.String(), Port: peerPort},
		Home: filepath.Join(p.home, name), Dir: filepath.Join(p.home, name, "data"), Within: h.Within, Dial: h.Dial, Stay: !p.leave,
	}
	return task, os.MkdirAll(task.Dir, 0o700)
}

// leech is one leecher, from its arrival until the swarm is over or it leaves.
func (p *playing) leech(ctx context.Context, i int, at time.Time, complete func(), over <-chan struct{}) error {
	var once sync.Once
	defer once.Do(complete)
	task, err := p.task(1+i, "leech"+strconv.Itoa(i))
	if err != nil {
		return err
	}
	task.Watch = func(news counterpart.Progress) { p.hear(i, news) }
	select {
	case <-time.After(time.Until(at)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	m := p.leechers[i%len(p.leechers)]
	process, err := m.client.Start(ctx, task)
	if err != nil {
		return err
	}
	defer process.Stop()
	arrived := p.arrive()
	if err := process.Complete(ctx); err != nil {
		return err
	}
	took := time.Since(arrived)
	once.Do(complete)
	if !p.leave {
		<-over
	}
	process.End(endWithin)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	carried, err := p.network.Hosts[1+i].Carried()
	if err != nil {
		return err
	}
	if err := p.content.Verify(task.Dir, false); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := &p.run.Nodes[i]
	n.Client, n.Up, n.Arrived, n.Took, n.Received = m.client.Name, p.rate(i), arrived.Sub(p.begin).Seconds(), took.Seconds(), carried.Received
	p.run.Last = max(p.run.Last, n.Arrived+n.Took)
	return nil
}

// arrive is when a leecher is ready. Clients take more or less time to start.
func (p *playing) arrive() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.begin.IsZero() {
		p.begin = now
	}
	return now
}

// hear takes news of a leecher.
func (p *playing) hear(leecher int, news counterpart.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.run.Nodes[leecher].Redundant = news.Redundant
	if p.left == 0 {
		return
	}
	for _, piece := range news.Pieces {
		if piece < len(p.out) && !p.out[piece] {
			p.out[piece] = true
			p.left--
		}
	}
	if p.left == 0 {
		p.run.Out = time.Since(p.begin).Seconds()
		p.run.First, p.err = p.copies()
	}
}

// copies is how many contents the seed has sent.
func (p *playing) copies() (float64, error) {
	carried, err := p.network.Hosts[0].Carried()
	return float64(carried.Sent) / contentLength, err
}

func (p *playing) result() (r Run, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return r, p.err
	}
	if p.left > 0 {
		return r, fmt.Errorf("of %d pieces no leecher has said that it has them", p.left)
	}
	p.run.Sent, err = p.copies()
	return p.run, err
}
