package transfer

import (
	"io"
	"kouzui"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/dispatch"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/report"
)

// run is the command: the torrents of args are downloaded or seeded until all
// have ended.
func (o *options) run(c *cobra.Command, args []string) error {
	if err := o.validate(c); err != nil {
		return err
	}
	defer dispatch.FollowLoad()()
	return command.Do(c, &o.output, func(r *command.Run) error {
		s := newSession(r, o.timeout, o.onComplete)
		return s.end(o.transfer(s, args))
	})
}

// Fail writes the line that ends the output of --json, if c is download or seed
// and has failed with err before it began, even because of its other flags.
func Fail(c *cobra.Command, args []string, stdout io.Writer, err error) {
	asked := c.Flags().Lookup("json")
	if c.Annotations[events] == "" || asked == nil || asked.Value.String() != "true" && !slices.Contains(args, "--json") {
		return
	}
	report.New(stdout, time.Now).End(exit.Code(err), err, report.Totals{})
}

// events marks the commands of which --json writes events.
const events = "events"

func (o *options) transfer(s *session, args []string) error {
	ctx, cancel := s.loading()
	defer cancel()
	source, bound, err := o.source.Open(ctx, s.Warn)
	if err != nil {
		return err
	}
	if source == nil {
		o.warnUnbound(s.Warn)
	}
	if err := o.source.Greet(ctx, source, s.Warn); err != nil {
		return err
	}
	if o.source.Proxied() {
		o.keepInside(s.Command, s.Warn)
	}
	torrents, err := load.All(ctx, source, args, s.Stdin, s.Warn)
	if err != nil {
		return err
	}
	peers, err := o.resolvePeers(ctx, source)
	if err != nil && ctx.Err() != nil {
		return load.Why(ctx)
	}
	if err != nil {
		return err
	}
	connections := o.connections(s.Command, openFilesAllowed(), s.Warn)
	if o.patterns.Choice["limiter"] == "none" {
		s.Warn("the rate limits are not kept: --pattern limiter=none")
	}
	blocked, err := loadBlocklist(ctx, o.blocklist, s.Output)
	if err != nil {
		return err
	}
	options := kouzui.Options{
		Dir: o.dir, Check: kouzui.CheckMode(*o.check), Patterns: o.chosen(), Peers: peers,
		MaxPeers: min(o.maxPeers, connections), UploadSlots: o.slots,
		Seed: o.seed || o.seedOnly, SeedRatio: o.ratio, SeedFor: o.seedTime, UntilPeersDone: o.untilPeersDone, SuperSeed: kouzui.SuperSeeding(*o.superSeed),
		StallTimeout: o.stall, MustExist: o.seedOnly, Force: o.force,
		DHT: o.dht.Mode(), NoPEX: o.noPEX,
	}
	options.Choice, _ = o.files.Choice() // validate has found no fault
	if o.streams {
		options.Choice = largestAlone(options.Choice)
		if s.streamer, err = o.stream.open(); err != nil {
			return err
		}
		defer s.streamer.close()
	}
	tiers, _ := o.tiers()
	options.Trackers = slices.Concat(tiers...)
	listen, err := o.listen()
	if err != nil {
		return err
	}
	for i, torrent := range torrents {
		if err := fits(options.Choice, torrent, len(torrents)); err != nil {
			return err
		}
		for _, other := range torrents[:i] {
			if !torrent.Unknown && !other.Unknown && torrent.Clashes(other.Torrent) {
				return exit.Usagef("Run one of them with another --dir.", "two torrents are called %q, and cannot both be in %s: %v and %v",
					torrent.Name, o.dir, other.InfoHash, torrent.InfoHash)
			}
		}
		j := newJob(o.withTrackers(torrent.Torrent), options)
		j.unknown = torrent.Unknown
		j.link, j.linkPeers = load.Reachable(ctx, source, torrent.Link, o.allowPrivate, s.Warn)
		j.listens, j.waits = o.ports() != noPorts, o.waitsForPeers(s.Command)
		s.add(j)
	}
	trace, err := s.OpenTrace(s.Command, o.trace)
	if err != nil {
		return err
	}
	defer trace.Close()
	if s.observer, err = o.observe.open(s.Output); err != nil {
		return err
	}
	defer s.observer.close()
	config := kouzui.Config{
		Listen: listen, Memory: o.memory.N, DownloadLimit: o.down.N, UploadLimit: o.up.N,
		MaxConnections: connections, Blocklist: blocked, Encryption: kouzui.EncryptionPolicy(*o.encryption), Bind: bound, Interface: o.source.Device, Proxy: o.source.Proxy, AllowPrivate: o.allowPrivate,
		Log: s.Log, Trace: append(trace.Sinks, s.inbox), TraceNotes: o.traceDomain, Patterns: o.patterns.Choice, Faults: o.faults,
	}
	config.MapPorts = !o.noPortMapping && !o.source.Proxied()
	config.DHT, s.dht = o.dht.Begin(o.place(bound), s.Warn)
	if o.trace != "" {
		config.SampleMailboxes = sampleInterval
	}
	command.ReleaseStartPages()
	return s.run(config)
}

// largestAlone has the largest file chosen if no file is.
func largestAlone(c *kouzui.Choice) *kouzui.Choice {
	if c == nil {
		c = &kouzui.Choice{}
	}
	c.Largest = len(c.Select) == 0
	return c
}

// fits refuses a choice of files that names none of a torrent, if what is in
// the torrent is known.
func fits(c *kouzui.Choice, t load.Given, of int) error {
	if t.Unknown {
		return nil
	}
	_, err := c.Resolve(t.Torrent)
	if err != nil && of > 1 {
		err = exit.Of(t.Name, err)
	}
	return exit.With(exit.Usage, err)
}

// sampleInterval is how often a trace tells how full mailboxes are.
const sampleInterval = time.Second
