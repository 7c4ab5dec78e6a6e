package torrents

import (
	"context"
	"errors"
	"fmt"
	"kouzui"
	"net/netip"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// infoFlags are those of info.
type infoFlags struct {
	json         bool
	save         string
	from         flags.Source
	peers        []string
	trackers     []string
	timeout      time.Duration
	allowPrivate bool
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
other commands hide such keys.`,
		Example: `  kouzui info debian.torrent
  kouzui info debian.torrent --json | jq -r .info_hash
  kouzui info 'magnet:?xt=urn:btih:...&tr=...' --save debian.torrent`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.json, "json", false, "write one JSON object")
		f.StringVar(&o.save, "save", "", "write the .torrent to `FILE`, which must not exist")
	})
	flags.Group(c, "Network", func(f *pflag.FlagSet) {
		o.from.Bind(f, "to the address `ADDR` of this machine all that leaves, look-ups of names included")
		f.StringArrayVar(&o.peers, "peer", nil, "ask the peer at `ADDR:PORT` what a magnet link leads to (repeatable)")
		f.StringArrayVar(&o.trackers, "tracker", nil, "ask the tracker at `URL` for peers of a magnet link (repeatable)")
		f.BoolVar(&o.allowPrivate, "allow-private", false, "let magnet links name peers and trackers at any address of this machine and network")
		flags.Duration(f, &o.timeout, "timeout", 0, "give up after `TIME` (0: never)")
	})
	return c
}

func (o *infoFlags) run(c *cobra.Command, from string) error {
	warn := func(text string) { fmt.Fprintln(c.ErrOrStderr(), "kouzui: warning:", text) }
	source, bound, err := o.from.Open(c.Context(), warn)
	if err != nil {
		return err
	}
	var t *metainfo.Torrent
	if !magnet.Is(from) {
		t, err = load.One(c.Context(), source, from, c.InOrStdin())
	} else {
		var g load.Given
		if g, err = load.Magnet(from); err != nil {
			return err
		}
		for _, w := range g.Link.Warnings {
			warn(w)
		}
		if t = g.Torrent; g.Unknown {
			config := kouzui.Config{Listen: kouzui.Nowhere, Bind: bound, Interface: o.from.Device, AllowPrivate: o.allowPrivate}
			t, err = o.fetch(c, config, *load.Reachable(c.Context(), source, g.Link, o.allowPrivate, warn))
		}
	}
	if err != nil {
		return err
	}
	if o.save != "" {
		if err := save(o.save, t); err != nil {
			return err
		}
	}
	d := describe(t)
	if o.json {
		return d.writeJSON(c.OutOrStdout())
	}
	return d.write(c.OutOrStdout())
}

// fetch asks peers what is in the torrent of a link.
func (o *infoFlags) fetch(c *cobra.Command, config kouzui.Config, link kouzui.Magnet) (*metainfo.Torrent, error) {
	options := kouzui.Options{MetadataOnly: true, Trackers: o.trackers}
	for _, text := range o.peers {
		addr, err := netip.ParseAddrPort(text)
		if err != nil || addr.Port() == 0 {
			return nil, exit.Usagef("", "--peer %q must be ADDR:PORT", text)
		}
		options.Peers = append(options.Peers, addr)
	}
	if len(options.Peers)+len(link.Peers)+len(options.Trackers)+len(metainfo.Supported(link.Trackers)) == 0 {
		return nil, exit.Hint("Name a peer with --peer or a tracker with --tracker.", exit.Errorf(exit.Network, "there is nobody to ask what is in the torrent: the link names no tracker and no peer"))
	}
	ctx := c.Context()
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, exit.ErrTimeout)
		defer cancel()
	}
	client, err := kouzui.Open(config)
	if err != nil {
		return nil, err
	}
	defer func() {
		soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = client.Close(soon)
	}()
	torrent, err := client.AddMagnet(link, options)
	if err != nil {
		return nil, err
	}
	said := ""
	for e := range torrent.Events(ctx) {
		if p, is := e.(kouzui.Progress); is && p.Status.Why != "" && p.Status.Why != said {
			said = p.Status.Why
			fmt.Fprintf(c.ErrOrStderr(), "fetching metadata: %s\n", metainfo.Clean(said, 1000))
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

// save writes the .torrent.
func save(path string, t *metainfo.Torrent) error {
	raw, err := metainfo.EncodeInfo(t.Info(), t.Announce)
	if err != nil {
		return err
	}
	f, err := outfile.Create(path, false)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(raw); err != nil {
		return err
	}
	return f.Commit()
}
