package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/cmd/kouzui/internal/units"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// usualPorts are tried when none is asked for: those that people forward, and
// then any.
const usualPorts = "6881-6889,0"

// defaultConnections is room for ten torrents with all the peers that they may
// have.
const defaultConnections = 500

// transferFlags are what download and seed have in common.
type transferFlags struct {
	output  outputFlags
	observe observeFlags

	dir            string
	ratio          float64
	seedFor        time.Duration
	untilPeersDone bool
	down, up       amount
	host, port     string
	blocklist      string
	maxPeers       int
	maxConnections int
	slots          int
	peers          []string
	trackers       []string
	picker, choker *string
	check          *string
	memory         amount
	stall, timeout time.Duration
	trace          string
	traceDomain    bool
	faults         faultFlag
	onComplete     string
}

func (t *transferFlags) bind(c *cobra.Command) {
	f := c.Flags()
	t.down = amount{text: "0", kind: "RATE", parse: units.ParseRate}
	t.up = t.down
	t.memory = amount{n: actors.DefaultMemory, text: "14M", kind: "BYTES", parse: units.ParseBytes}

	f.StringVarP(&t.dir, "dir", "d", ".", "`FOLDER` of the data")
	f.Float64Var(&t.ratio, "seed-ratio", 0, "stop seeding once this many times the size is uploaded (0: never)")
	f.DurationVar(&t.seedFor, "seed-time", 0, "stop seeding after this time, such as 90m (0: never)")
	f.BoolVar(&t.untilPeersDone, "until-peers-done", false, "seed for as long as somebody connected needs data")
	f.Var(&t.down, "max-download-limit", "for the process; K M G KiB MiB are powers of 1024, kB MB of 1000, Mbit counts bits (0: no limit)")
	f.Var(&t.up, "max-upload-limit", "for the process")
	f.StringVar(&t.host, "listen", "", "accept connections at this `HOST` (default all addresses)")
	f.StringVar(&t.port, "listen-port", usualPorts, "`PORT`s to accept connections at, the first free one of a list and of ranges in it (0: any; none: no connections)")
	f.StringVar(&t.blocklist, "blocklist", "", "connect with nobody on the list in this `FILE`: P2P text, ipfilter.dat, CIDR or addresses, also gzipped")
	f.IntVar(&t.maxPeers, "max-peers", 50, "connections a torrent")
	f.IntVar(&t.maxConnections, "max-connections", defaultConnections, "connections of all torrents together; if it is not given, twice --max-peers where that is more")
	f.IntVar(&t.slots, "unchoke-slots", 4, "peers that may download from us at a time, beside one that is tried out")
	f.StringArrayVar(&t.peers, "peer", nil, "connect to this peer, `HOST:PORT` (repeatable)")
	f.StringArrayVar(&t.trackers, "tracker", nil, "announce at this `URL` too, as a tier of its own (repeatable)")
	t.picker = choose(c, "picker", "which piece to begin", actors.Pickers()...)
	t.choker = choose(c, "choker", "who may download from us", actors.Chokers()...)
	t.check = choose(c, "check", "what of the data found to hash: what has changed, all or nothing", "auto", "full", "none")
	f.Var(&t.memory, "memory", "payload to hold in memory at most")
	f.DurationVar(&t.stall, "stall-timeout", 0, "give up when nothing has come for this time (0: never; a disk that refuses: 5m)")
	f.DurationVar(&t.timeout, "timeout", 0, "stop after this time (0: never)")
	f.StringVar(&t.trace, "trace", "", "write the supervision trace to `FILE` (- is stdout)")
	f.BoolVar(&t.traceDomain, "trace-domain", false, "trace chokes, pieces, bans and announces too")
	t.faults.bind(c)
	f.StringVar(&t.onComplete, "on-complete", "", "run this `COMMAND` for each complete torrent (see the help)")
	t.observe.bind(c)
	t.output.bind(c)
	t.output.bindJSON(c)
}

// onCompleteHelp is for the help of commands with --on-complete.
const onCompleteHelp = `The command of --on-complete is run by the shell, with KOUZUI_TORRENT_NAME,
KOUZUI_TORRENT_HASH, KOUZUI_TORRENT_DIR and KOUZUI_TORRENT_PATH in its
environment. If it fails, that is a warning.`

// check refuses values that contradict each other or make no sense.
func (t *transferFlags) validate(c *cobra.Command) error {
	for _, name := range []string{"seed-ratio", "seed-time", "stall-timeout", "timeout", "max-peers", "max-connections", "unchoke-slots"} {
		if strings.HasPrefix(c.Flag(name).Value.String(), "-") {
			return usagef("", "--%s cannot be negative", name)
		}
	}
	for _, name := range []string{"max-peers", "max-connections"} {
		if c.Flag(name).Value.String() == "0" {
			return usagef("", "--%s must be at least 1", name)
		}
	}
	if t.memory.n < 1<<20 {
		return usagef("", "--memory must be at least 1M")
	}
	if t.output.json && t.trace == "-" {
		return usagef("", "--json and --trace - both want stdout")
	}
	for _, tracker := range t.trackers {
		u, err := url.Parse(tracker)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
			return usagef("", "--tracker %q is no http or https URL", tracker)
		}
	}
	_, err := t.listen()
	return err
}

// listen is the address for the engine, "" for none.
func (t *transferFlags) listen() (string, error) {
	if t.port == "none" {
		return "", nil
	}
	for part := range strings.SplitSeq(t.port, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, err := strconv.ParseUint(from, 10, 16)
		last := first
		if err == nil && isRange {
			last, err = strconv.ParseUint(to, 10, 16)
		}
		if err != nil || last < first || isRange && first == 0 {
			return "", usagef("", "--listen-port %q is no port, range of ports, list of them or none", t.port)
		}
	}
	return net.JoinHostPort(strings.Trim(t.host, "[]"), t.port), nil
}

// options are for the engine; names of peers are resolved for it.
func (t *transferFlags) options(ctx context.Context) (messages.TorrentOptions, error) {
	o := messages.TorrentOptions{
		Dir: t.dir, Picker: *t.picker, Choker: *t.choker, Check: messages.CheckMode(*t.check),
		MaxPeers: t.maxPeers, UnchokeSlots: t.slots,
		SeedRatio: t.ratio, SeedFor: t.seedFor, UntilPeersDone: t.untilPeersDone, StallTimeout: t.stall,
	}
	for _, peer := range t.peers {
		addrs, err := resolve(ctx, peer)
		if err != nil {
			return o, err
		}
		o.Peers = append(o.Peers, addrs...)
	}
	return o, nil
}

// connections is how many there may be with peers: no more than half of the files
// that may be open, for without the other half nothing could be read or written.
func (t *transferFlags) connections(c *cobra.Command, files int, warn func(string)) int {
	const others = 24 // files that are the program's own
	most := t.maxConnections
	if !c.Flag("max-connections").Changed {
		most = max(most, 2*t.maxPeers)
	}
	if room := max((files-others)/2, 1); room < most {
		warn(fmt.Sprintf("only %d files may be open at once, so there are no more than %d connections", files, room))
		return room
	}
	return most
}

func resolve(ctx context.Context, peer string) ([]netip.AddrPort, error) {
	host, text, err := net.SplitHostPort(peer)
	port, bad := strconv.ParseUint(text, 10, 16)
	if err != nil || bad != nil || port == 0 || host == "" {
		return nil, usagef("", "--peer %q is not HOST:PORT", peer)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("--peer %s: %w", peer, err)
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return addrs, nil
}

// withTrackers is torrent with more tiers.
func (t *transferFlags) withTrackers(torrent *metainfo.Torrent) *metainfo.Torrent {
	if len(t.trackers) == 0 {
		return torrent
	}
	more := *torrent
	more.Announce = slices.Clone(torrent.Announce)
	for _, url := range t.trackers {
		more.Announce = append(more.Announce, []string{url})
	}
	return &more
}

// run moves torrents until all have ended.
func (t *transferFlags) run(c *cobra.Command, from []string, seed, mustExist bool) (err error) {
	if err := t.validate(c); err != nil {
		return err
	}
	out, err := t.output.open(c)
	if err != nil {
		return err
	}
	defer out.close()
	stop := listenToSignals()
	defer stop.close()

	s := &session{out: out, inbox: newInbox(), stop: stop, timeout: t.timeout, onComplete: t.onComplete}
	s.begin()
	defer func() { err = s.end(err) }()

	loading, loaded := stop.context()
	defer loaded()
	torrents, err := loadAll(loading, from, c.InOrStdin(), out.warn)
	if err != nil {
		return err
	}
	options, err := t.options(loading)
	if err != nil {
		return err
	}
	options.Seed = seed || t.ratio > 0 || t.seedFor > 0
	options.MustExist = mustExist
	if mustExist {
		if _, err := os.Stat(t.dir); err != nil {
			return err
		}
	}
	connections := t.connections(c, openFilesAllowed(), out.warn)
	options.MaxPeers = min(options.MaxPeers, connections)
	blocked, err := loadBlocklist(t.blocklist, out)
	if err != nil {
		return err
	}
	for _, torrent := range torrents {
		s.add(t.withTrackers(torrent), options)
	}
	listen, err := t.listen()
	if err != nil {
		return err
	}
	sinks, err := openSinks(c, t.trace, out)
	if err != nil {
		return err
	}
	defer sinks.close(out)
	if s.observer, err = t.observe.open(out); err != nil {
		return err
	}
	defer s.observer.close()
	engine := engineOptions(out, s.inbox, sinks.list, listen, connections, t.memory.n, messages.SetLimits{Down: t.down.n, Up: t.up.n})
	engine.Blocklist = blocked
	engine.Faults = t.faults
	engine.Notes = t.traceDomain
	if t.trace != "" {
		engine.Sample = time.Second
	}
	return s.run(engine)
}
