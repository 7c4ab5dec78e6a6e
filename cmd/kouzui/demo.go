package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/trackerserver"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/hashing"
	"kouzui/cmd/kouzui/internal/units"
	"kouzui/messages"
	"kouzui/wire/buffer"
	"kouzui/wire/metainfo"
)

const (
	demoName = "demo.bin"
	// demoSeconds is how long the download should take, so that people can
	// follow it; the upload limits follow from it.
	demoSeconds = 6
	demoTimeout = 60 * time.Second
	demoSeeds   = 2
	demoClients = 2
	// demoKillAt is the part of the content after which an actor is killed.
	demoKillAt = 0.3
)

func newDemo() *cobra.Command {
	var o outputFlags
	size := amount{n: 64 << 20, text: "64M", kind: "BYTES", parse: units.ParseBytes}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a swarm in one process, and how it heals",
		Long: `Show what Kouzui does, with nothing else installed: a tracker, two seeds and two
downloads in one process, over TCP on the loopback interface. On the way one
actor is made to panic, and its supervisor brings it back. In the end the copies
are compared with the original, and everything is removed again.`,
		Example: `  kouzui demo
  kouzui demo --size 200M --progress plain`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if size.n < 1<<20 || size.n > 4<<30 {
				return usagef("", "--size must be from 1M to 4G")
			}
			out, err := o.open(c)
			if err != nil {
				return err
			}
			defer out.close()
			return runDemo(out, size.n)
		},
	}
	c.Flags().Var(&size, "size", "of the file that is moved")
	o.bind(c)
	return c
}

// heard is an event of one of several clients.
type heard struct {
	from  *demoClient
	event any
}

// demoClient is a client of its own, as in a process of its own.
type demoClient struct {
	name      string
	index     int
	dir       string
	client    *actors.Client
	recent    *trace.Recent
	last      messages.Progress
	announced bool // the tracker knows it
	complete  bool
}

// seed tells the first clients from those that download.
func (c *demoClient) seed() bool { return c.index < demoSeeds }

// demo belongs to the goroutine that runs it.
type demo struct {
	out     *output
	dir     string
	torrent *metainfo.Torrent
	sum     [sha256.Size]byte
	limit   int64 // bytes a second that a client uploads
	inbox   *inbox
	display display
	all     []*demoClient // seeds first
	healing *healing      // nil until an actor has been killed
}

func runDemo(out *output, size int64) (err error) {
	stop := listenToSignals()
	defer stop.close()
	dir, err := os.MkdirTemp("", "kouzui-demo-")
	if err != nil {
		return fail(exitMkdir, err)
	}
	d := &demo{out: out, dir: dir, inbox: newInbox(), display: newDisplay(out)}
	// Who uploads shares the work; what the downloads give each other is theirs.
	d.limit = max(size*demoClients/(demoSeeds+demoClients)/demoSeconds, 256<<10)
	defer func() { err = errors.Join(err, fail(exitIO, os.RemoveAll(dir))) }()

	failed := make(chan error, 1)
	limits := trackerserver.DefaultLimits
	limits.Interval = 4 * time.Second
	tracker, err := startTracker(realWorld(buffer.NewPool(0), 0), out.log, nil, "127.0.0.1:0", limits, failed)
	if err != nil {
		return err
	}
	defer tracker.close()
	if err := d.make(size, tracker.url); err != nil {
		return err
	}
	out.say("A tracker at %s, %d seeds and %d clients, each uploading at most %s.", tracker.url, demoSeeds, demoClients, units.Rate(float64(d.limit)))
	defer d.shutdown()
	for i := range demoSeeds {
		if err := d.start("seed", i); err != nil {
			return err
		}
	}
	if err := d.watch(stop, failed); err != nil {
		return err
	}
	return d.compare()
}

// make writes the file, a copy for each seed, and the torrent.
func (d *demo) make(size int64, announce string) error {
	var copies []io.Writer
	for i := range demoSeeds {
		f, err := os.Create(filepath.Join(d.folder("seed", i), demoName))
		if err != nil {
			return fail(exitCreate, err)
		}
		defer f.Close()
		copies = append(copies, f)
	}
	whole := sha256.New()
	source := io.LimitReader(rand.NewChaCha8([32]byte{'k', 'o', 'u', 'z', 'u', 'i'}), size)
	if _, err := io.Copy(io.MultiWriter(append(copies, whole)...), source); err != nil {
		return err
	}
	whole.Sum(d.sum[:0])

	folder, err := real.OpenExisting(d.folder("seed", 0))
	if err != nil {
		return err
	}
	defer folder.Close()
	content := &content{name: demoName, single: true, Content: hashing.Content{Folder: folder}}
	content.add(nil, demoName, size)
	pieceLength := int64(256 << 10)
	sums, err := hashContent(context.Background(), d.out, content, pieceLength)
	if err != nil {
		return err
	}
	raw, err := metainfo.Encode(metainfo.Spec{
		Name: demoName, Files: content.files, Single: true, PieceLength: pieceLength, Pieces: sums,
		Announce: [][]string{{announce}},
	})
	if err != nil {
		return err
	}
	d.torrent, err = metainfo.Parse(raw)
	d.out.say("%s of pseudo-random bytes in %d pieces, SHA-256 %x.", units.Bytes(size), d.torrent.PieceCount(), d.sum[:8])
	return err
}

// folder is that of one client; it is made if need be.
func (d *demo) folder(role string, i int) string {
	dir := filepath.Join(d.dir, fmt.Sprintf("%s%d", role, i+1))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.out.log.Error().Err(err).Send() // and what uses it fails
	}
	return dir
}

// start starts a client. Seeds come first, and downloads once the tracker knows
// all seeds, so that nobody has to wait for an announce.
func (d *demo) start(role string, i int) error {
	c := &demoClient{name: fmt.Sprintf("%s %d", role, i+1), index: len(d.all), dir: d.folder(role, i), recent: trace.NewRecent(1 << 14)}
	pool := buffer.NewPool(keepFree / 4)
	var err error
	c.client, err = actors.Start(actors.Options{
		World: realWorld(pool, 0), Pool: pool, Log: d.out.log, Sinks: []event.Sink{c.recent},
		Notify: func(event any) { d.inbox.put(heard{c, event}) },
		Listen: "127.0.0.1:0", Memory: actors.DefaultMemory / 4, Limits: messages.SetLimits{Up: d.limit},
	})
	if err != nil {
		return err
	}
	d.all = append(d.all, c)
	c.client.Add(d.torrent, messages.TorrentOptions{
		Dir: c.dir, Seed: true, MustExist: c.seed(), MaxPeers: 10, UnchokeSlots: 4,
	})
	return nil
}

// announced starts the downloads after the last seed.
func (d *demo) announced(c *demoClient) error {
	if !c.seed() || c.announced {
		return nil
	}
	c.announced = true
	if slices.ContainsFunc(d.all, func(c *demoClient) bool { return !c.announced }) {
		return nil
	}
	for i := range demoClients {
		if err := d.start("client", i); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) shutdown() {
	for _, c := range d.all {
		if err := c.client.Shutdown(2 * time.Second); err != nil {
			d.out.log.Debug().Err(err).Send()
		}
	}
}

// watch shows what happens until all downloads are complete.
func (d *demo) watch(stop *interrupts, failed <-chan error) error {
	timeout := time.NewTimer(demoTimeout)
	defer timeout.Stop()
	redraw := time.NewTimer(0)
	defer redraw.Stop()
	for !d.complete() {
		select {
		case <-d.inbox.ready:
			for _, e := range d.inbox.take() {
				if err := d.handle(e.(heard)); err != nil {
					return err
				}
			}
			redraw.Reset(d.display.due(time.Now()))
		case <-redraw.C:
			d.display.draw(time.Now())
		case err := <-failed:
			return fail(exitNetwork, err)
		case <-timeout.C:
			return errTimeout
		case <-stop.first:
			return fail(exitInterrupted, errors.New("interrupted"))
		}
	}
	if d.out.screen != nil {
		d.out.screen.Clear()
	}
	for _, c := range d.all[demoSeeds:] {
		d.out.say("%s", lastWords(&c.last, true, time.Since(d.display.started).Seconds()))
	}
	return nil
}

func (d *demo) complete() bool {
	downloads := d.all[demoSeeds:]
	return len(downloads) > 0 && !slices.ContainsFunc(downloads, func(c *demoClient) bool { return !c.complete })
}

func (d *demo) handle(h heard) error {
	c := h.from
	switch m := h.event.(type) {
	case *messages.Progress:
		c.last = *m
		c.last.Name = c.name
		if c.seed() {
			return nil
		}
		shown := c.last
		shown.InfoHash[0] = byte(c.index) // the display tells torrents apart, not clients
		d.display.event(&shown)
		d.breakSomething(c, m)
		d.healing.observe(c, m, d.out)
	case *messages.TorrentAnnounced:
		if m.Replied != nil {
			return d.announced(c)
		}
	case *messages.TorrentCompleted:
		c.complete = true
	case *messages.TorrentFailed:
		return fmt.Errorf("%s: %w", c.name, m.Err)
	}
	return nil
}

// breakSomething makes an actor panic, once: the connection that brings the
// first download the most.
func (d *demo) breakSomething(c *demoClient, p *messages.Progress) {
	if d.healing != nil || float64(p.Have) < demoKillAt*float64(p.Length) {
		return
	}
	for _, peer := range p.Top {
		if peer.Flags.Inbound {
			continue // whoever has dialled dials again
		}
		path, ok := findPeer(c.client.Tree().Snapshot(), peer.Key)
		if !ok || c.client.Tree().Kill(path, "killed by the demo") != nil {
			continue
		}
		d.healing = &healing{client: c, path: path, key: peer.Key, addr: peer.Addr.String(), alive: p.Peers}
		d.out.say("%s: making the actor %s panic, which stands for the connection to %s.", c.name, path, peer.Addr)
		return
	}
}

func findPeer(nodes []supervise.Node, key messages.PeerKey) (path string, ok bool) {
	name := fmt.Sprintf("peer-%d", key)
	for _, n := range nodes {
		if filepath.Base(n.Path) == name {
			return n.Path, true
		}
	}
	return "", false
}

// compare checks the copies.
func (d *demo) compare() error {
	for _, c := range d.all[demoSeeds:] {
		f, err := os.Open(filepath.Join(c.dir, demoName))
		if err != nil {
			return err
		}
		whole := sha256.New()
		_, err = io.Copy(whole, f)
		f.Close()
		if err != nil {
			return err
		}
		if got := [sha256.Size]byte(whole.Sum(nil)); got != d.sum {
			return failf(exitMismatch, "%s has other bytes: SHA-256 %x", c.name, got)
		}
		d.out.result("%s: SHA-256 %x, as the original", c.name, d.sum)
	}
	return nil
}
