package torrents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"kouzui"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/dhtnodes"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// infoFlags are those of info.
type infoFlags struct {
	json         bool
	save         string
	force        bool
	scrape       bool
	from         flags.Source
	peers        []string
	trackers     []string
	timeout      time.Duration
	allowPrivate bool
	dht          dhtnodes.Flags
}

// NewInfo makes the command info.
func NewInfo() *cobra.Command {
	var o infoFlags
	c := &cobra.Command{
		Use:   "info TORRENT|MAGNET",
		Short: "Show what is in a torrent",
		Long: `Show what is in a torrent: the path of a .torrent, an http or https URL, or -
for stdin. Of a MAGNET link, peers are asked what is in the torrent; nothing
else is downloaded, and --save keeps it as a .torrent. Files have the names that
a download would give them; names that had to be changed for that are listed as
warnings. Trackers are shown in full, even if their URLs hold a user's key; all
other commands hide such keys.

With --scrape, trackers are asked in place of that how many seeders and leechers
the torrent has, and how often it was downloaded (BEP 48, 15). Of a magnet link
no peer is asked then. If no tracker answers, the exit code is 6.`,
		Example: `  kouzui info debian.torrent
  kouzui info debian.torrent --json | jq -r .info_hash
  kouzui info 'magnet:?xt=urn:btih:...&tr=...' --save debian.torrent
  kouzui info debian.torrent --scrape`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.json, "json", false, "write JSON: one object, with --scrape one for each tracker")
		f.BoolVar(&o.scrape, "scrape", false, "show what its trackers count, in place of what is in it")
		f.StringVar(&o.save, "save", "", "write the .torrent to `FILE` (- is stdout, where nothing else is written then)")
		f.BoolVarP(&o.force, "force", "f", false, "let --save replace a file")
	})
	flags.Group(c, "Network", func(f *pflag.FlagSet) {
		o.from.Bind(f, "to the address `ADDR` of this machine all that leaves, look-ups of names included")
		f.StringArrayVar(&o.peers, "peer", nil, "ask the peer at `ADDR:PORT` what a magnet link leads to (repeatable)")
		f.StringArrayVar(&o.trackers, "tracker", nil, "ask the tracker at `URL` for peers of a magnet link, or with --scrape as well (repeatable)")
		f.BoolVar(&o.allowPrivate, "allow-private", false, "let magnet links name peers and trackers at any address of this machine and network")
		o.dht.Bind(c, f, "look for peers of a magnet link in the DHT")
		flags.Duration(f, &o.timeout, "timeout", 0, "give up after `TIME` (0: never)")
	})
	return c
}

func (o *infoFlags) run(c *cobra.Command, from string) error {
	if err := o.dht.Validate(o.from.Proxied()); err != nil {
		return err
	}
	if o.scrape && o.save != "" {
		return exit.Usagef("", "--scrape and --save exclude each other: one asks trackers, the other one peers")
	}
	if o.save == "-" && o.json {
		return exit.Usagef("", "--json and --save - cannot both write to stdout")
	}
	if o.save != "" && o.save != "-" {
		if err := outfile.Check(o.save, o.force); err != nil {
			return err
		}
	}
	ctx, done := interrupt.Context()
	defer done()
	warn := func(text string) { fmt.Fprintln(c.ErrOrStderr(), "kouzui: warning:", text) }
	source, bound, err := o.from.Open(ctx, warn)
	if err != nil {
		return err
	}
	t, err := o.read(ctx, c, source, bound, from, warn)
	if err != nil {
		return err
	}
	if o.scrape {
		return o.tellScrapes(ctx, c, source, t)
	}
	if o.save != "" {
		if err := o.keep(t, c.OutOrStdout()); err != nil || o.save == "-" {
			return err
		}
	}
	d := describe(t)
	if o.json {
		return d.writeJSON(c.OutOrStdout())
	}
	return d.write(c.OutOrStdout())
}

// read reads a .torrent, or asks peers what a link leads to.
func (o *infoFlags) read(ctx context.Context, c *cobra.Command, source *real.Source, bound netip.Addr, from string, warn func(string)) (*metainfo.Torrent, error) {
	if !magnet.Is(from) {
		return load.One(ctx, source, from, c.InOrStdin())
	}
	g, err := load.Magnet(from)
	if err != nil {
		return nil, err
	}
	for _, w := range g.Link.Warnings {
		warn(w)
	}
	if !g.Unknown || o.scrape {
		return g.Torrent, nil
	}
	if err := o.from.Greet(ctx, source, warn); err != nil {
		return nil, err
	}
	if o.from.Proxied() {
		o.dht.TurnOff()
		warn("all goes through the proxy: trackers over UDP and the DHT are off")
	}
	config := kouzui.Config{Listen: kouzui.Nowhere, Bind: bound, Interface: o.from.Device, Proxy: o.from.Proxy, AllowPrivate: o.allowPrivate}
	link, peers := load.Reachable(ctx, source, g.Link, o.allowPrivate, warn)
	return o.fetch(ctx, config, *link, peers, c.ErrOrStderr(), warn)
}

// sayEvery is how often at most it is said what the metadata waits for.
const sayEvery = 10 * time.Second

// fetch asks peers what is in the torrent of a link, of whose peers so many
// will be connected to.
func (o *infoFlags) fetch(ctx context.Context, config kouzui.Config, link kouzui.Magnet, linkPeers int, stderr io.Writer, warn func(string)) (*metainfo.Torrent, error) {
	given, err := flags.AskedTiers(o.trackers)
	if err != nil {
		return nil, err
	}
	options := kouzui.Options{MetadataOnly: true, Trackers: slices.Concat(given...), DHT: o.dht.Mode()}
	for _, text := range o.peers {
		addr, err := netip.ParseAddrPort(text)
		if err != nil || addr.Port() == 0 {
			return nil, exit.Usagef("", "--peer %q must be ADDR:PORT", text)
		}
		options.Peers = append(options.Peers, addr)
	}
	if !options.InDHT(nil, &link) && len(options.Peers)+linkPeers+len(options.Trackers)+len(metainfo.Supported(link.Trackers)) == 0 {
		return nil, exit.Hint("Name a peer with --peer or a tracker with --tracker, or have the DHT asked with --dht on.", exit.Errorf(exit.Network, "there is nobody to ask what is in the torrent: the link names no tracker and no peer"))
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, exit.ErrTimeout)
		defer cancel()
	}
	host := ""
	if config.Bind.IsValid() {
		host = config.Bind.String()
	}
	var nodes *dhtnodes.Keeper
	if config.DHT, nodes = o.dht.Begin(host, warn); config.DHT != nil {
		config.DHT.ReadOnly = true // nobody is to count on a node that leaves at once
	}
	defer nodes.Close()
	client, err := kouzui.Open(config)
	if err != nil {
		return nil, err
	}
	defer func() {
		nodes.Ask(client)
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = client.Close(soon)
	}()
	told, done := context.WithCancel(ctx)
	defer done()
	events := client.Events(told)
	torrent, err := client.AddMagnet(link, options)
	if err != nil {
		return nil, err
	}
	said, saidAt := "", time.Time{}
	for e := range events {
		switch e := e.(type) {
		case kouzui.Progress:
			if e.Status.Why != "" && e.Status.Why != said && time.Since(saidAt) >= sayEvery {
				said, saidAt = e.Status.Why, time.Now()
				fmt.Fprintf(stderr, "fetching metadata: %s\n", metainfo.Clean(said, 1000))
			}
		case kouzui.DHTReported:
			nodes.Report(&e.DHTReport, time.Now())
		case kouzui.Ended:
			done()
		}
	}
	if err := torrent.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, load.Why(ctx)
		}
		return nil, err
	}
	t := torrent.Metainfo()
	if t == nil {
		return nil, errors.New("the torrent has ended without its metadata")
	}
	_ = load.Keep(t) // to be asked for again is all that it costs
	return t, nil
}

// keep writes the .torrent to the file of --save, or to stdout.
func (o *infoFlags) keep(t *metainfo.Torrent, stdout io.Writer) error {
	raw, err := metainfo.EncodeInfo(t.Info(), t.Announce, t.WebSeeds)
	if err != nil {
		return err
	}
	if o.save == "-" {
		_, err := stdout.Write(raw)
		return err
	}
	f, err := outfile.Create(o.save, o.force)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(raw); err != nil {
		return err
	}
	return f.Commit()
}
