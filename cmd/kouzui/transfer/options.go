package transfer

import (
	"kouzui"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/kouzui/internal/dhtnodes"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
)

// options are the flags of download and seed.
type options struct {
	seedOnly bool // the command is seed, which has fewer flags
	streams  bool // the command is stream
	stream   streamFlags
	output   output.Flags
	observe  observeFlags

	dir            string
	files          flags.Files
	check          *string
	force          bool
	memory         flags.Amount
	stall, timeout time.Duration
	onComplete     string

	down, up       flags.Amount
	host, port     string
	source         flags.Source
	allowPrivate   bool
	encryption     *string
	blocklist      string
	dht            dhtnodes.Flags
	noPEX          bool
	noPortMapping  bool
	maxPeers       int
	maxConnections int
	peers          []string
	trackers       []string

	seed           bool
	ratio          float64
	seedTime       time.Duration
	untilPeersDone bool
	superSeed      *string
	slots          int

	trace       string
	traceDomain bool

	picker, choker *string
	patterns       flags.Patterns
	faults         flags.Faults
}

func (o *options) bind(c *cobra.Command) {
	o.down, o.up, o.memory = flags.Rate("0"), flags.Rate("0"), flags.Bytes("14M")
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		dir := "download to `FOLDER`"
		if o.seedOnly {
			dir = "seed the data in `FOLDER`"
		}
		f.StringVarP(&o.dir, "dir", "d", ".", dir)
		if o.seedOnly {
			o.files.Bind(f, "seed")
		} else {
			o.files.Bind(f, "download")
			o.files.BindPriority(f)
		}
		o.check = flags.Choose(c, "check", "`HOW` to check existing data: %s (auto hashes only what has changed since the last run)", "auto", "full", "none")
		if !o.seedOnly {
			f.BoolVar(&o.force, "force", false, "overwrite data of the torrent's name that cannot be shown to be the torrent's")
			f.StringVar(&o.onComplete, "on-complete", "", "run `COMMAND` for each torrent when it is complete (see above)")
		}
		stall := "give up if nothing has been downloaded for `TIME` (0: never, but give up a disk that has failed for 5m)"
		if o.seedOnly {
			stall = "give up if the disk has failed for `TIME` (0: 5m), or if no peer has told for so long what a magnet link leads to (0: never)"
		}
		flags.Duration(f, &o.stall, "stall-timeout", 0, stall)
		flags.Duration(f, &o.timeout, "timeout", 0, "stop after `TIME`, such as 90m (0: never)")
		f.Var(&o.memory, "memory", "hold at most `SIZE` of payload in memory")
	})
	if o.streams {
		flags.Group(c, "Streaming", o.stream.bind)
	}
	flags.Group(c, "Network", func(f *pflag.FlagSet) {
		if !o.seedOnly {
			f.Var(&o.down, "max-download-limit", "download at most `RATE` bytes a second, all torrents together (0: no limit)")
		}
		f.Var(&o.up, "max-upload-limit", "upload at most `RATE` bytes a second, all torrents together (0: no limit); K M G KiB MiB are powers of 1024, kB MB of 1000, Mbit counts bits")
		f.StringVar(&o.host, "listen", "", "accept connections at the address `HOST`, and have datagrams (UDP) leave from and come to it (default: all addresses); connections that go out are not bound by this, see --bind")
		f.StringVar(&o.port, "listen-port", usualPorts, "accept connections at the first free one of these `PORTS`, a list of ports and ranges (0: any free port; none: no connections, as by default with --proxy)")
		o.source.Bind(f, "everything to the address `ADDR` of this machine: peers, trackers, torrents fetched by URL, look-ups of names, and connections that come in")
		f.BoolVar(&o.allowPrivate, "allow-private", false, "let torrents name trackers, and trackers name peers, at any address of this machine and network")
		f.IntVar(&o.maxPeers, "max-peers", 50, "make at most `N` connections for each torrent")
		f.IntVar(&o.maxConnections, "max-connections", kouzui.DefaultConnections, "make at most `N` connections for all torrents together; without this flag, at least twice --max-peers")
		f.StringArrayVar(&o.peers, "peer", nil, "connect to the peer at `HOST:PORT` (repeatable)")
		f.StringArrayVar(&o.trackers, "tracker", nil, "use the tracker at `URL` as well, as a tier of its own (repeatable; commas separate the URLs of one tier)")
		o.dht.Bind(c, f, "look for torrents in the DHT and announce them there, unless they are private")
		f.BoolVar(&o.noPEX, "no-pex", false, "tell peers of no other peers (BEP 11), and take none from them")
		o.encryption = flags.Choose(c, "encryption", "`WHEN` to encrypt connections with peers (MSE): %s; allow encrypts if the peer wants it, prefer if the peer can, require all that is sent",
			string(kouzui.AllowEncryption), string(kouzui.PreferEncryption), string(kouzui.RequireEncryption), string(kouzui.NoEncryption))
		f.BoolVar(&o.noPortMapping, "no-port-mapping", false, "do not ask the router (UPnP, NAT-PMP, PCP) to let peers connect to us; it is asked unless we listen at loopback, or all trackers and peers that are named are on this machine")
		f.StringVar(&o.blocklist, "blocklist", "", "never connect to the addresses listed in `FILE`: P2P text, ipfilter.dat, CIDR or plain addresses, also gzipped")
	})
	flags.Group(c, "Seeding", func(f *pflag.FlagSet) {
		if !o.seedOnly && !o.streams {
			f.BoolVar(&o.seed, "seed", false, "go on seeding when the download is complete")
		}
		flags.Number(f, &o.ratio, "seed-ratio", "seed until `N` times the size has been uploaded (0: no limit)")
		flags.Duration(f, &o.seedTime, "seed-time", 0, "seed for `TIME`, such as 90m or 2d (0: no limit)")
		f.BoolVar(&o.untilPeersDone, "until-peers-done", false, "seed until no connected peer needs data")
		o.superSeed = flags.Choose(c, "super-seed", "`WHEN` to tell each peer of other pieces until a second copy of each is out (BEP 16): %s; auto is with no other seed, unless we upload all within 10 s",
			string(kouzui.SuperSeedAuto), string(kouzui.SuperSeedAlways), string(kouzui.SuperSeedNever))
		c.Flag("super-seed").NoOptDefVal = string(kouzui.SuperSeedAlways)
		f.IntVar(&o.slots, "unchoke-slots", 4, "let `N` peers download from us at a time, and one more that is tried out")
	})
	o.output.Bind(c, true)
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.trace, "trace", "", "write the supervision trace to `FILE` (- is stdout)")
		f.BoolVar(&o.traceDomain, "trace-domain", false, "trace chokes, pieces, bans and announces as well")
		o.observe.bind(f)
	})
	flags.Group(c, "Experiments", func(f *pflag.FlagSet) {
		if !o.seedOnly {
			o.picker = flags.Pattern(c, "picker", "choose the next piece by the rule `NAME`")
		}
		o.choker = flags.Pattern(c, "choker", "choose the peers to unchoke by the rule `NAME`")
		flags.BindPatterns(c, &o.patterns, pattern.Real)
		f.Var(&o.faults, "fault", "break something on purpose (repeatable), such as 'panic,actor=*/store,at=2s': `SPEC` is a kind and keys, with commas between them; README.md lists them")
	})
}

// validate refuses values that contradict each other or make no sense.
func (o *options) validate(c *cobra.Command) error {
	for _, name := range []string{"seed-ratio", "seed-time", "stall-timeout", "timeout", "max-peers", "max-connections", "unchoke-slots"} {
		if strings.HasPrefix(c.Flag(name).Value.String(), "-") {
			return exit.Usagef("", "--%s cannot be negative", name)
		}
	}
	for _, name := range []string{"max-peers", "max-connections"} {
		if c.Flag(name).Value.String() == "0" {
			return exit.Usagef("", "--%s must be at least 1", name)
		}
	}
	if o.memory.N < 1<<20 {
		return exit.Usagef("", "--memory must be at least 1M")
	}
	if o.streams {
		if err := o.stream.validate(o.output.JSON); err != nil {
			return err
		}
		if o.stream.stdout && o.trace == "-" {
			return exit.Usagef("", "--stdout and --trace - cannot both write to stdout")
		}
	}
	if o.output.JSON && o.trace == "-" {
		return exit.Usagef("", "--json and --trace - cannot both write to stdout")
	}
	if err := o.validatePatterns(c); err != nil {
		return err
	}
	if _, err := o.tiers(); err != nil {
		return err
	}
	if _, err := o.namedPeers(); err != nil {
		return err
	}
	if _, err := o.files.Choice(); err != nil {
		return err
	}
	if err := o.dht.Validate(o.source.Proxied()); err != nil {
		return err
	}
	_, err := o.listen()
	return err
}

func (o *options) validatePatterns(c *cobra.Command) error {
	if err := o.patterns.Exclude(c, "choker"); err != nil {
		return err
	}
	if o.patterns.Choice["limiter"] != "" && o.down.N == 0 && o.up.N == 0 {
		return exit.Usagef("", "--pattern limiter makes no difference without a rate limit")
	}
	if o.seedOnly {
		for _, kind := range []string{"picker", "requests", "queue"} {
			if o.patterns.Choice[kind] != "" {
				return exit.Usagef("", "--pattern %s is of no use to seed, which downloads nothing", kind)
			}
		}
		return nil
	}
	return o.patterns.Exclude(c, "picker")
}

// chosen are the patterns of each torrent.
func (o *options) chosen() kouzui.Patterns {
	chosen := kouzui.Patterns{}
	if o.patterns.Choice["choker"] == "" {
		chosen["choker"] = *o.choker
	}
	if !o.seedOnly && o.patterns.Choice["picker"] == "" {
		chosen["picker"] = *o.picker
	}
	return chosen
}

// tiers are the trackers of --tracker.
func (o *options) tiers() ([][]string, error) { return flags.AskedTiers(o.trackers) }

// withTrackers is torrent with the trackers of --tracker.
func (o *options) withTrackers(torrent *kouzui.Metainfo) *kouzui.Metainfo {
	if len(o.trackers) == 0 {
		return torrent
	}
	more := *torrent
	tiers, _ := o.tiers() // validate has found no fault
	more.Announce = slices.Concat(torrent.Announce, tiers)
	return &more
}
