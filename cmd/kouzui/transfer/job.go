package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"kouzui"
	"path/filepath"
	"time"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/place"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/metainfo"
)

// job is one torrent of a session.
type job struct {
	torrent         *kouzui.Metainfo
	link            *kouzui.Magnet // nil: a .torrent was given
	linkPeers       int            // of the link, that will be connected to
	unknown         bool           // torrent has no more than what the link says
	options         kouzui.Options
	running         *kouzui.Torrent // nil until the client has taken it
	last            kouzui.Status
	known           bool      // what there is of the data
	met             bool      // a peer has been connected
	replied         bool      // a tracker has replied
	tracker         error     // the last failure of the trackers, while none has replied
	refused         error     // why the torrent was stopped
	webSeedsGivenUp int       // of the torrent's
	aloneFrom       time.Time // since when nobody is there of whom the download knows; zero: not so
	listens         bool      // peers can connect to us
	waits           bool      // the user wants to wait for peers that connect to us
	completed       bool      // once, whatever was repaired since
	streamed        bool      // all of it has been written to stdout
	ended           bool
	err             error // why it ended, nil for success
}

// maxAlone is how long a download waits for peers that connect to us, if no
// source of peers is known: they have this time to find us after a restart.
const maxAlone = 3 * time.Second

func newJob(t *kouzui.Metainfo, o kouzui.Options) *job {
	j := &job{torrent: t, options: o, last: kouzui.Status{
		InfoHash: t.InfoHash, Name: t.Name, State: kouzui.StateStarting,
		Pieces: t.PieceCount(), Length: t.Length, Left: t.Length,
	}}
	if len(t.Announce) > 0 && len(metainfo.Supported(t.Announce)) == 0 {
		j.tracker = errors.New("none of the trackers is supported")
	}
	return j
}

// sources tells whether it is known whom to ask for the content or for peers.
func (j *job) sources() bool {
	return j.options.InDHT(j.torrent, j.link) || len(j.options.Peers)+j.linkPeers > 0 ||
		!j.unknown && !j.options.Seed && len(j.torrent.WebSeeds) > j.webSeedsGivenUp || len(metainfo.Supported(j.torrent.Announce)) > 0
}

func (j *job) path() string { return filepath.Join(j.options.Dir, j.torrent.Name) }

// ready says early why the torrent cannot be seeded.
func (j *job) ready() error {
	if j.options.MustExist && !j.unknown {
		if err := place.Check(j.options.Dir, j.torrent); err != nil {
			return err
		}
	}
	// A time to seed for is waited on purpose, and ends by itself.
	if j.options.Seed && j.options.SeedFor == 0 && !j.listens && !j.sources() {
		return exit.Hint("Name a peer with --peer or a tracker with --tracker"+j.orDHT()+", or choose a --listen-port.",
			exit.Errorf(exit.Network, "no peer can be seeded to: %s, no --peer is given, and --listen-port none lets nobody connect", j.noTracker()))
	}
	return nil
}

// noTracker says why there is no tracker to ask.
func (j *job) noTracker() string {
	if j.tracker != nil {
		return j.tracker.Error()
	}
	if j.link != nil {
		return "the link has no tracker"
	}
	return "the torrent has no tracker"
}

// orDHT names the DHT as a further way to find peers, if it is one.
func (j *job) orDHT() string {
	if j.torrent.Private || j.options.DHT == kouzui.DHTOn {
		return ""
	}
	return ", or have the DHT asked with --dht on"
}

// hidden tells whether peers find a seed only by being told its address, which
// the user seems not to have in mind.
func (j *job) hidden() bool { return j.options.Seed && !j.waits && !j.sources() }

// begin has the client take the torrent.
func (j *job) begin(client *kouzui.Client) (err error) {
	if j.link == nil {
		j.running, err = client.AddMetainfo(j.torrent, j.options)
		return err
	}
	j.running, err = client.AddMagnet(*j.link, j.options)
	if err == nil && !j.unknown {
		err = j.running.SetMetainfo(j.torrent)
	}
	return err
}

// found takes what peers have told of the torrent.
func (j *job) found(t *kouzui.Metainfo) { j.torrent, j.unknown = t, false }

// stop begins to stop the torrent. That it has ended is an event.
func (j *job) stop() { go func() { _ = j.running.Stop(context.Background()) }() }

// progress takes what the client tells of the torrent at some time. It returns
// true if the torrent has to be stopped: it was to be seeded and is not
// complete, or there is nobody to download from.
func (j *job) progress(p *kouzui.Status, now time.Time) (stop bool) {
	j.last = *p
	switch p.State {
	case kouzui.StateDownloading, kouzui.StateFinishing, kouzui.StateSeeding, kouzui.StateDiskFull:
		j.known = true
	}
	j.met = j.met || p.Peers > 0
	fetching := p.State == kouzui.StateMetadata
	if p.State != kouzui.StateDownloading && !fetching || j.refused != nil {
		return false
	}
	switch {
	case j.options.MustExist && !fetching:
		j.refused = exit.Errorf(exit.Mismatch, "%s, and seed needs complete data", units.Wrong(j.lacking(p)))
	case j.waits || p.Left == 0 && !fetching || p.Peers > 0 || j.sources():
		j.aloneFrom = time.Time{}
	case j.aloneFrom.IsZero():
		j.aloneFrom = now
	case now.Sub(j.aloneFrom) >= maxAlone:
		j.refused = exit.Hint("Name a peer with --peer or a tracker with --tracker"+j.orDHT()+". To wait for peers that connect to us, choose a --listen-port or a --stall-timeout.",
			exit.Errorf(exit.Network, "there is nobody to download from: %s, and no --peer is given", j.noTracker()))
	}
	return j.refused != nil
}

// lacking is how many of the wanted pieces are wrong or missing, and how many
// are wanted. A piece is missing for each begun length of one.
func (j *job) lacking(p *kouzui.Status) (wrong, of int) {
	if p.Chosen == 0 {
		return p.Pieces - p.HavePieces, p.Pieces
	}
	return int((p.Left + j.torrent.PieceLength - 1) / j.torrent.PieceLength), p.Wanted
}

// announced takes what the client tells of a tracker.
func (j *job) announced(m kouzui.Announced) {
	switch {
	case m.Replied != nil:
		j.replied, j.tracker = true, nil
	case m.Failed != nil && !j.replied:
		j.tracker = fmt.Errorf("%s: %w", m.Failed.URL, m.Failed.Err)
	}
}

// explain adds to an error which says that the download was too slow that all
// trackers failed, if no peer was ever connected. A stall is then a failure of
// the network; its error tells why the tracker failed. The time of --timeout is
// up in any case.
func (j *job) explain(err error) error {
	switch {
	case j.options.MustExist || !errors.Is(err, fs.ErrExist):
	case errors.Is(err, kouzui.ErrInTheWay):
		return exit.Hint("Move it away, or use another --dir: --force overwrites no folder, no link and nothing that is longer than the torrent's file.", err)
	case !j.options.Force:
		return exit.Hint("With --force it is overwritten or moved; with another --dir it is left alone.", err)
	}
	stalled := errors.Is(err, kouzui.ErrStalled)
	if j.met || j.tracker == nil || !stalled && !errors.Is(err, exit.ErrTimeout) {
		return err
	}
	if stalled {
		return exit.Errorf(exit.Network, "%w (all trackers failed)", err)
	}
	return exit.Errorf(exit.Timeout, "%w (all trackers failed: %w)", err, j.tracker)
}

func add(sum *report.Totals, p *kouzui.Status) {
	sum.Bytes += p.Downloaded
	sum.Uploaded += p.Uploaded
	sum.Wasted += p.Wasted
	sum.Corrupt += p.Corrupt
}
