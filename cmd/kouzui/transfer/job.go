package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"kouzui"
	"path/filepath"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/place"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/cmd/kouzui/internal/units"
)

// job is one torrent of a session.
type job struct {
	torrent   *kouzui.Metainfo
	options   kouzui.Options
	running   *kouzui.Torrent // nil until the client has taken it
	last      kouzui.Status
	met       bool  // a peer has been connected
	replied   bool  // a tracker has replied
	tracker   error // the last failure of the trackers, while none has replied
	refused   error // why the torrent cannot be seeded
	completed bool  // once, whatever was repaired since
	ended     bool
	err       error // why it ended, nil for success
}

func newJob(t *kouzui.Metainfo, o kouzui.Options) *job {
	return &job{torrent: t, options: o, last: kouzui.Status{
		InfoHash: t.InfoHash, Name: t.Name, State: kouzui.StateStarting,
		Pieces: t.PieceCount(), Length: t.Length, Left: t.Length,
	}}
}

func (j *job) path() string { return filepath.Join(j.options.Dir, j.torrent.Name) }

// ready says early why the torrent cannot be seeded.
func (j *job) ready() error {
	if !j.options.MustExist {
		return nil
	}
	return place.Check(j.options.Dir, j.torrent)
}

// stop begins to stop the torrent. That it has ended is an event.
func (j *job) stop() { go func() { _ = j.running.Stop(context.Background()) }() }

// progress takes what the client tells of the torrent. It returns true if the
// torrent has to be stopped because it was to be seeded and is not complete.
func (j *job) progress(p *kouzui.Status) (stop bool) {
	j.last = *p
	j.met = j.met || p.Peers > 0
	if !j.options.MustExist || p.State != kouzui.StateDownloading || j.refused != nil {
		return false
	}
	j.refused = exit.Errorf(exit.Mismatch, "%s, and seed needs complete data", units.Wrong(p.Pieces-p.HavePieces, p.Pieces))
	return true
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
	if !j.options.MustExist && !j.options.Force && errors.Is(err, fs.ErrExist) {
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
