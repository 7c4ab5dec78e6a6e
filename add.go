package kouzui

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kouzui/actors"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/choice"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// Hash is an info hash.
type Hash = metainfo.Hash

// Metainfo is what a .torrent says.
type Metainfo = metainfo.Torrent

// Parse checks the bytes of a .torrent. The error is a *MetainfoError.
func Parse(torrent []byte) (*Metainfo, error) { return metainfo.Parse(torrent) }

// Magnet is what a magnet link says.
type Magnet = magnet.Link

// ParseMagnet reads a magnet link. The error is a *MagnetError.
func ParseMagnet(link string) (Magnet, error) { return magnet.Parse(link) }

// CheckMode says how far data that is found on disk is trusted.
type CheckMode = messages.CheckMode

// Check modes.
const (
	CheckAuto = messages.CheckAuto // what the journal vouches for is trusted, the rest is hashed
	CheckFull = messages.CheckFull // everything is hashed
	CheckNone = messages.CheckNone // the journal alone is trusted
)

// SuperSeeding says when a torrent is super-seeded.
type SuperSeeding = messages.SuperSeeding

// When to super-seed.
const (
	SuperSeedAuto   = messages.SuperSeedAuto   // while there is no other seed, unless we can upload all within seconds
	SuperSeedAlways = messages.SuperSeedAlways // if we are fast, too
	SuperSeedNever  = messages.SuperSeedNever
)

// DHTMode says which torrents are looked for in the DHT and announced there.
type DHTMode = messages.DHTMode

// When a torrent is looked for in the DHT. One that is private never is.
const (
	DHTAuto = messages.DHTAuto // unless all its trackers and given peers are at loopback addresses
	DHTOn   = messages.DHTOn
	DHTOff  = messages.DHTOff
)

// Options are what a torrent is added with. The zero value downloads all of it
// and ends.
type Options struct {
	Dir      string // where the data lies; empty: Config.Dir
	Peers    []netip.AddrPort
	Trackers []string // http, https or udp, announced to beside those of the torrent; these may be anywhere
	Check    CheckMode

	MaxPeers    int    // connections; 0: the usual number
	UploadSlots int    // peers that may download from us at a time; 0: the usual number
	Picker      string // one of Pickers; empty: the first
	Choker      string // one of Chokers; empty: the first
	// Patterns are others that were chosen for this torrent, see Config.Patterns.
	Patterns Patterns

	// MetadataOnly: a torrent that is added without its metainfo ends when peers
	// have told it, as MetainfoFound; nothing is downloaded.
	MetadataOnly bool
	// MustExist: nothing is created on disk; data that is missing is an error.
	MustExist bool
	// Force: data under the torrent's name that cannot be shown to be the
	// torrent's is overwritten, and files beside it in its folder are moved with
	// it. Without, that is an error (fs.ErrExist).
	Force bool
	// Seed: go on when all is there, until Stop, or until SeedRatio times the size
	// has been uploaded (0: for ever) or SeedFor has passed (0: for ever).
	Seed      bool
	SeedRatio float64
	SeedFor   time.Duration
	// UntilPeersDone: go on for as long as a connected peer needs data.
	UntilPeersDone bool
	// SuperSeed is when a torrent that was complete from the start tells each peer
	// of other pieces only (BEP 16), until there is a second copy of each; empty:
	// SuperSeedAuto.
	SuperSeed SuperSeeding
	// StallTimeout ends a download for which nothing came for so long; 0: never.
	StallTimeout time.Duration
	// DHT is when the torrent is looked for in the DHT, if Config.DHT allows that;
	// empty: DHTAuto.
	DHT DHTMode
	// NoPEX: peers are not told of each other (BEP 11).
	NoPEX bool
	// Choice is which files are wanted; nil: all. Torrent.Choose changes it. A
	// torrent that is added without its metainfo ends with a *ChoiceError if the
	// choice does not fit it.
	Choice *Choice
}

// Choice is which files of a torrent are wanted, and with which priority.
type Choice = choice.Choice

// FileSelector names files, FilePriority says when they are downloaded.
type (
	FileSelector = choice.Selector
	FilePriority = choice.Priority
	FileRule     = choice.Rule
)

// Priorities of files. Those that are skipped are not made.
const (
	PrioritySkip   = choice.Skip
	PriorityLow    = choice.Low
	PriorityNormal = choice.Normal
	PriorityHigh   = choice.High
)

// ParseFiles reads what names files: "*.mkv", "season 1", "extras/*.mkv", or
// indices from 0 as in "3" or "0,4-7". The error is a *ChoiceError.
func ParseFiles(text string) (FileSelector, error) { return choice.ParseSelector(text) }

// FilesOf is what a magnet link chooses (so); nil: nothing.
func FilesOf(m Magnet) *Choice {
	if len(m.Files) == 0 {
		return nil
	}
	return &Choice{Select: []FileSelector{choice.InLink(m.Files)}}
}

// InDHT tells whether a torrent that is added with these options is looked for
// in the DHT. It is taken for public while its metainfo is nil; link is nil if
// the torrent has not come as one.
func (o *Options) InDHT(m *Metainfo, link *Magnet) bool {
	private, trackers, options := false, o.Trackers, messages.TorrentOptions{DHT: o.DHT, Peers: o.Peers}
	if m != nil {
		private, trackers = m.Private, slices.Concat(trackers, slices.Concat(m.Announce...))
	}
	if link != nil {
		trackers, options.LinkHosts = slices.Concat(trackers, slices.Concat(link.Trackers...)), hosts(*link)
	}
	return actors.InDHT(&options, private, [][]string{trackers})
}

// validate finds values that make no sense, and brings URLs into the form in
// which trackers are asked and compared.
func (o *Options) validate() error {
	switch {
	case o.Check != "" && !slices.Contains([]CheckMode{CheckAuto, CheckFull, CheckNone}, o.Check):
		return &OptionError{"Check", fmt.Sprintf("cannot be %q", o.Check)}
	case o.MaxPeers < 0:
		return &OptionError{"MaxPeers", "cannot be negative"}
	case o.UploadSlots < 0:
		return &OptionError{"UploadSlots", "cannot be negative"}
	case pattern.Check("picker", o.Picker) != nil:
		return &OptionError{"Picker", fmt.Sprintf("cannot be %q", o.Picker)}
	case pattern.Check("choker", o.Choker) != nil:
		return &OptionError{"Choker", fmt.Sprintf("cannot be %q", o.Choker)}
	case o.Picker != "" && o.Patterns["picker"] != "", o.Choker != "" && o.Patterns["choker"] != "":
		return &OptionError{"Patterns", "choose what Picker or Choker choose"}
	case !(o.SeedRatio >= 0) || math.IsInf(o.SeedRatio, 0): // which NaN is not
		return &OptionError{"SeedRatio", "must be a number from 0 on"}
	case o.SuperSeed != "" && !slices.Contains([]SuperSeeding{SuperSeedAuto, SuperSeedAlways, SuperSeedNever}, o.SuperSeed):
		return &OptionError{"SuperSeed", fmt.Sprintf("cannot be %q", o.SuperSeed)}
	case o.DHT != "" && !slices.Contains([]DHTMode{DHTAuto, DHTOn, DHTOff}, o.DHT):
		return &OptionError{"DHT", fmt.Sprintf("cannot be %q", o.DHT)}
	case o.SeedFor < 0:
		return &OptionError{"SeedFor", "cannot be negative"}
	case o.StallTimeout < 0:
		return &OptionError{"StallTimeout", "cannot be negative"}
	}
	if err := o.Patterns.Check(pattern.Real, pattern.OfTorrent); err != nil {
		return &OptionError{"Patterns", "cannot be used: " + err.Error()}
	}
	for _, addr := range o.Peers {
		if !addr.IsValid() || addr.Port() == 0 {
			return &OptionError{"Peers", fmt.Sprintf("cannot contain %v", addr)}
		}
	}
	o.Trackers = slices.Clone(o.Trackers)
	for i, tracker := range o.Trackers {
		u, err := metainfo.TrackerURL(tracker)
		if err != nil || !metainfo.CanAsk(u) {
			return &OptionError{"Trackers", fmt.Sprintf("cannot contain %q", tracker)}
		}
		o.Trackers[i] = u
	}
	return nil
}

// engine is the options as the actors take them; of kinds that they leave open,
// the patterns are those of the client.
func (o *Options) engine(client Patterns) messages.TorrentOptions {
	chosen := Patterns{}
	for kind, name := range map[string]string{"picker": o.Picker, "choker": o.Choker} {
		if name != "" {
			chosen[kind] = name
		}
	}
	return messages.TorrentOptions{
		Dir: o.Dir, Patterns: chosen.Or(o.Patterns).Or(client), Check: cmp.Or(o.Check, CheckAuto),
		Peers: slices.Clone(o.Peers), Trackers: slices.Clone(o.Trackers), MaxPeers: o.MaxPeers, UnchokeSlots: o.UploadSlots,
		MetadataOnly: o.MetadataOnly, MustExist: o.MustExist, Force: o.Force, Seed: o.Seed || o.SeedRatio > 0 || o.SeedFor > 0, SeedRatio: o.SeedRatio, SeedFor: o.SeedFor,
		UntilPeersDone: o.UntilPeersDone, SuperSeed: o.SuperSeed, StallTimeout: o.StallTimeout,
		DHT: o.DHT, NoPEX: o.NoPEX, Choice: o.Choice,
	}
}

// Add reads a .torrent and starts it. The error is of the reader, a
// *MetainfoError, an *OptionError, ErrAdded or ErrClosed.
func (c *Client) Add(torrent io.Reader, o Options) (*Torrent, error) {
	raw, err := readAll(torrent)
	if err != nil {
		return nil, err
	}
	m, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	return c.AddMetainfo(m, o)
}

// readAll reads no more than Parse takes, and one byte for it to see that there
// is more. A reader that panics, such as a nil one, is an error.
func readAll(r io.Reader) (raw []byte, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the .torrent cannot be read: %v", reason)
		}
	}()
	return io.ReadAll(io.LimitReader(r, metainfo.MaxTorrent+1))
}

// AddFile is Add for a file.
func (c *Client) AddFile(path string, o Options) (*Torrent, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return c.Add(f, o)
}

// AddMetainfo is Add for a .torrent that has been parsed.
func (c *Client) AddMetainfo(m *Metainfo, o Options) (*Torrent, error) {
	if m == nil || len(m.Files) == 0 {
		return nil, &OptionError{"Metainfo", "must come from Parse"}
	}
	return c.add(&Torrent{hash: m.InfoHash, name: m.Name, metainfo: m}, o)
}

// AddMagnet starts the torrent of a magnet link. What is in it is asked of
// peers, and told as MetainfoFound. Of the peers that the link names, those are
// tried whose host is an address, and not one of this machine or network,
// unless there is Config.AllowPrivate. The files that the link chooses are
// downloaded, unless Options.Choice says otherwise.
func (c *Client) AddMagnet(m Magnet, o Options) (*Torrent, error) {
	if o.Choice.Empty() {
		o.Choice = FilesOf(m)
	}
	t := &Torrent{hash: m.InfoHash, name: cmp.Or(m.Name, m.InfoHash.String()), announce: m.Trackers, linkHosts: hosts(m), linkWebSeeds: m.WebSeeds}
	for _, peer := range m.Peers {
		if addr, is := peer.Addr(); is && c != nil && (c.config.AllowPrivate || real.IsPublic(addr.Addr())) {
			t.linkPeers = append(t.linkPeers, addr)
		}
	}
	return c.add(t, o)
}

func hosts(m Magnet) (list []string) {
	for _, peer := range m.Peers {
		list = append(list, peer.Host)
	}
	return list
}

// AddHash starts a torrent of which only the info hash is known. It connects
// with peers, and downloads once they, or SetMetainfo, have told what is in it.
func (c *Client) AddHash(hash Hash, o Options) (*Torrent, error) {
	return c.add(&Torrent{hash: hash, name: hash.String()}, o)
}

func (c *Client) add(t *Torrent, o Options) (*Torrent, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if t.metainfo != nil {
		if _, err := o.Choice.Resolve(t.metainfo); err != nil {
			return nil, err
		}
	}
	if c == nil {
		return nil, ErrClosed
	}
	o.Dir = cmp.Or(o.Dir, c.config.Dir)
	t.client, t.dir = c, o.Dir
	t.completed, t.ended = make(chan struct{}), make(chan struct{})
	t.last = Status{InfoHash: t.hash, Name: t.name, State: messages.StateStarting}
	if m := t.metainfo; m != nil {
		t.last.Pieces, t.last.Length, t.last.Left = m.PieceCount(), m.Length, m.Length
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.opened()
	if err == nil && c.torrents[t.hash] != nil {
		err = fmt.Errorf("%s: %w", t.name, ErrAdded)
	}
	for _, other := range c.torrents {
		if err == nil && t.metainfo != nil && other.metainfo != nil &&
			filepath.Clean(t.dir) == filepath.Clean(other.dir) && t.metainfo.Clashes(other.metainfo) {
			err = fmt.Errorf("%s: %w", t.name, ErrNameUsed)
		}
	}
	if err == nil {
		err = c.order(t, o)
	}
	if err != nil {
		return nil, err
	}
	c.added++
	t.number = c.added
	c.torrents[t.hash] = t
	return t, nil
}

// order hands the torrent to the tree. c.mu is held, so that a goroutine that
// finds the torrent in c.torrents can already stop it.
func (c *Client) order(t *Torrent, o Options) error {
	if t.metainfo == nil {
		options := o.engine(c.config.Patterns)
		options.LinkPeers, options.LinkHosts, options.LinkWebSeeds = t.linkPeers, t.linkHosts, t.linkWebSeeds
		return c.engine.AddHash(t.hash, t.name, tiers(t.announce, o.Trackers), options)
	}
	m := *t.metainfo
	m.Announce = tiers(m.Announce, o.Trackers)
	return c.engine.Add(&m, o.engine(c.config.Patterns))
}

// tiers is the tracker tiers of a torrent, and one more for each further
// tracker that is not among them.
func tiers(own [][]string, more []string) [][]string {
	own = slices.Clone(own)
	for _, tracker := range more {
		if !slices.ContainsFunc(own, func(tier []string) bool { return slices.Contains(tier, tracker) }) {
			own = append(own, []string{tracker})
		}
	}
	return own
}
