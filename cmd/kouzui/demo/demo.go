// Package demo is the command that shows a swarm in one process.
package demo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"kouzui"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/actors/trackerserver"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/progress"
	"kouzui/cmd/kouzui/internal/trackerd"
	"kouzui/wire/metainfo"
)

const (
	fileName    = "demo.bin"
	pieceLength = 256 << 10
	// wantedSeconds is how long the download should take, so that people can
	// follow it. The upload limits follow from it.
	wantedSeconds = 6
	timeout       = 60 * time.Second
	seeds         = 2
	downloaders   = 2
	// killAt is the part of the content after which an actor is killed.
	killAt = 0.3
	// announceInterval makes the clients meet soon.
	announceInterval = 4 * time.Second
	// shutdownTimeout is how long the actors of a client may take to stop.
	shutdownTimeout = 2 * time.Second
)

// New makes the command demo.
func New() *cobra.Command {
	var o output.Flags
	size := flags.Bytes("64M")
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a swarm in one process, and how it heals",
		Long: `Show what Kouzui does, with nothing else installed: a tracker, two seeds and two
downloaders in one process, connected by TCP on the loopback interface. On the
way one actor is made to panic, and its supervisor restarts it. At the end the
copies are compared with the original, and all files are removed.`,
		Example: `  kouzui demo
  kouzui demo --size 200M --progress plain`,
		Args: flags.Arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if size.N < 1<<20 || size.N > 4<<30 {
				return exit.Usagef("", "--size must be from 1M to 4G")
			}
			return command.Do(c, &o, func(r *command.Run) error { return run(r, size.N) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		f.Var(&size, "size", "`SIZE` of the file that is downloaded")
	})
	o.Bind(c, false)
	return c
}

// heard is an event of one of the clients.
type heard struct {
	from  *client
	event kouzui.Event
}

// client is one of the clients. They share nothing but the process.
type client struct {
	name      string
	index     int
	dir       string
	client    *kouzui.Client
	recent    *trace.Recent // its supervision events
	last      kouzui.Status
	announced bool // the tracker knows the client
	complete  bool
}

// seed tells the seeds, which come first, from the downloaders.
func (c *client) seed() bool { return c.index < seeds }

// demo belongs to the goroutine that runs it.
type demo struct {
	*command.Run
	dir     string
	torrent *metainfo.Torrent
	sum     [sha256.Size]byte
	limit   int64 // bytes a second that a client uploads
	inbox   *progress.Inbox
	display *progress.Display
	begin   time.Time
	all     []*client // seeds first
	healing *healing  // nil until an actor has been killed
}

func run(r *command.Run, size int64) (err error) {
	dir, err := os.MkdirTemp("", "kouzui-demo-")
	if err != nil {
		return exit.With(exit.Mkdir, err)
	}
	d := &demo{Run: r, dir: dir, inbox: progress.NewInbox(), display: progress.NewDisplay(r.Output), begin: time.Now()}
	// Downloaders upload as well, so that all clients share the work.
	d.limit = max(size*downloaders/(seeds+downloaders)/wantedSeconds, 256<<10)
	defer func() { err = errors.Join(err, exit.With(exit.IO, os.RemoveAll(dir))) }()

	limits := trackerserver.DefaultLimits
	limits.Interval = announceInterval
	tracker, err := trackerd.Start(r.Log, nil, "127.0.0.1:0", limits)
	if err != nil {
		return err
	}
	defer tracker.Close()
	if err := d.make(size, tracker.URL); err != nil {
		return err
	}
	r.Say("A tracker runs at %s.", tracker.URL)
	r.Say("Each of %d seeds and %d downloaders uploads at most %s.", seeds, downloaders, units.Rate(float64(d.limit)))
	defer d.shutdown()
	for i := range seeds {
		if err := d.start("seed", i); err != nil {
			return err
		}
	}
	if err := d.watch(tracker.Failed); err != nil {
		return err
	}
	return d.compare()
}

// start starts a client.
func (d *demo) start(role string, i int) error {
	c := &client{name: fmt.Sprintf("%s %d", role, i+1), index: len(d.all), dir: d.folder(role, i), recent: trace.NewRecent(1 << 14)}
	var err error
	c.client, err = kouzui.Open(kouzui.Config{
		Dir: c.dir, Listen: "127.0.0.1:0", Memory: kouzui.DefaultMemory / 4, UploadLimit: d.limit,
		Log: d.Log, Trace: []event.Sink{c.recent},
	})
	if err != nil {
		return err
	}
	d.all = append(d.all, c)
	events := c.client.Events(context.Background())
	go func() {
		for e := range events {
			d.inbox.Put(heard{c, e})
		}
	}()
	_, err = c.client.AddMetainfo(d.torrent, kouzui.Options{Seed: true, MustExist: c.seed(), MaxPeers: 10, UploadSlots: 4})
	return err
}

// announced starts the downloaders once the tracker knows all seeds, so that
// the first answer of the tracker names the seeds.
func (d *demo) announced(c *client) error {
	if !c.seed() || c.announced {
		return nil
	}
	c.announced = true
	if slices.ContainsFunc(d.all, func(c *client) bool { return !c.announced }) {
		return nil
	}
	for i := range downloaders {
		if err := d.start("downloader", i); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) shutdown() {
	for _, c := range d.all {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		if err := c.client.Close(ctx); err != nil {
			d.Log.Debug().Err(err).Send()
		}
		cancel()
	}
}

// watch shows what happens until all downloads are complete.
func (d *demo) watch(failed <-chan error) error {
	tooLate := time.NewTimer(timeout)
	defer tooLate.Stop()
	redraw := time.NewTimer(0)
	defer redraw.Stop()
	defer d.display.Clear()
	for !d.complete() {
		select {
		case <-d.inbox.Ready:
			for _, e := range d.inbox.Take() {
				if err := d.handle(e.(heard)); err != nil {
					return err
				}
			}
			redraw.Reset(d.display.Due(time.Now()))
		case <-redraw.C:
			d.display.Draw(time.Now())
		case err := <-failed:
			return exit.With(exit.Network, err)
		case <-tooLate.C:
			return exit.Errorf(exit.Timeout, "the downloads did not complete within %v", timeout)
		case <-d.Stop.First:
			return exit.With(exit.Interrupted, errors.New("interrupted"))
		}
	}
	d.display.Clear()
	for _, c := range d.all[seeds:] {
		d.Say("%s", progress.Summary(&c.last, true, time.Since(d.begin)))
	}
	return nil
}

func (d *demo) complete() bool {
	started := d.all[min(seeds, len(d.all)):]
	return len(started) > 0 && !slices.ContainsFunc(started, func(c *client) bool { return !c.complete })
}

func (d *demo) handle(h heard) error {
	c := h.from
	switch m := h.event.(type) {
	case kouzui.Progress:
		c.last = m.Status
		c.last.Name = c.name
		if c.seed() {
			return nil
		}
		shown := c.last
		shown.InfoHash[0] = byte(c.index) // the display knows torrents, not clients
		d.display.Event(kouzui.Progress{Torrent: m.Torrent, Status: shown})
		d.breakSomething(c, &m.Status)
		d.healing.observe(c, &m.Status, d.Output)
	case kouzui.Announced:
		if m.Replied != nil {
			return d.announced(c)
		}
	case kouzui.Completed:
		c.complete = true
	case kouzui.Ended:
		if m.Err != nil {
			return fmt.Errorf("%s: %w", c.name, m.Err)
		}
	}
	return nil
}
