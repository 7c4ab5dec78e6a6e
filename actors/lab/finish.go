package lab

import (
	"errors"
	"slices"
)

// finished tells whether nothing is left to wait for.
func (r *run) finished() bool {
	r.look()
	for r.quit < len(r.nodes) && !r.owes(r.nodes[r.quit]) {
		r.quit++
	}
	if len(r.nodes) == 0 && len(r.bares) > 0 {
		return false // of bare nodes alone there is nothing to wait for
	}
	return r.coming == 0 && r.events == 0 && (r.quit == len(r.nodes) || r.hopeless())
}

// hopeless tells whether no node that must become complete ever will. There
// must be no event under way, which could start a process anew.
func (r *run) hopeless() bool {
	return !slices.ContainsFunc(r.nodes[r.quit:], func(n *node) bool { return r.owes(n) && n.ended() == nil }) &&
		!slices.ContainsFunc(r.Event, func(e Event) bool { return e.Every > 0 })
}

// stopped tells whether the run is to end early.
func (o *Options) stopped() bool {
	select {
	case <-o.Stop: // never, if it is nil
		return true
	default:
		return false
	}
}

// owes tells whether a node must still become complete. Once it need not, it
// never must again.
func (r *run) owes(n *node) bool { return n.complete < 0 && !n.leaves }

var errEnded = errors.New("its client has ended by itself")

// ended is why the process of a node downloads no more; nil: it does, or the
// next process will.
func (n *node) ended() error {
	switch {
	case n.client == nil || n.down:
		return nil
	case !n.lives():
		return errEnded
	}
	return n.failed
}

// lives tells whether any actor of the client runs.
func (n *node) lives() bool {
	if n.client == nil || n.down {
		return false
	}
	select {
	case <-n.client.Ended():
		return false
	default:
		return true
	}
}

// whole tells whether the nodes that are there have all of the content between
// them. If they do not, no node can complete the download.
func (r *run) whole() bool {
	if slices.ContainsFunc(r.foes, (*foe).serves) {
		return true
	}
	for i := range r.content.torrent.PieceCount() {
		if !slices.ContainsFunc(r.nodes, func(n *node) bool { return n.lives() && r.has(n, i) }) {
			return false
		}
	}
	return true
}

func (r *run) has(n *node, piece int) bool {
	f, err := open(n.host.Disk())
	return err == nil && r.content.wrong(f, piece, piece+1) == nil
}
