package fault

import (
	"net/netip"
	"sync"
	"time"

	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// network is a world.Network that remembers its links, so that the plan can cut
// them.
type network struct {
	world.Network
	links *links
}

func (n network) Listen(addr string, perSecond int, accept func(messages.Link), failed func(error)) (world.Listener, error) {
	return n.Network.Listen(addr, perSecond, func(l messages.Link) {
		if l != nil {
			l = n.links.add(l)
		}
		accept(l)
	}, failed)
}

func (n network) Dial(addr netip.AddrPort, timeout time.Duration, done func(messages.Link, error)) (cancel func()) {
	return n.Network.Dial(addr, timeout, func(l messages.Link, err error) {
		if err == nil {
			l = n.links.add(l)
		}
		done(l, err)
	})
}

// links are those that are open. The owner of a link closes it in the end, also
// one that the other side has closed.
type links struct {
	mu   sync.Mutex
	open map[uint64]messages.Link
}

func (ls *links) add(l messages.Link) messages.Link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open == nil {
		ls.open = map[uint64]messages.Link{}
	}
	ls.open[l.ID()] = l
	return &link{l, ls}
}

func (ls *links) find(id uint64) messages.Link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.open[id]
}

type link struct {
	messages.Link
	links *links
}

func (l *link) Close(reason error) {
	l.links.mu.Lock()
	delete(l.links.open, l.ID())
	l.links.mu.Unlock()
	l.Link.Close(reason)
}

// announcer is a world.Announcer whose announces fail by plan.
type announcer struct {
	world.Announcer
	site *site
}

func (a announcer) Announce(url string, from world.Origin, r announce.Request, timeout time.Duration, done func(announce.Reply, error)) (cancel func()) {
	if err := a.strike(url); err != nil {
		done(announce.Reply{}, err)
		return func() {}
	}
	return a.Announcer.Announce(url, from, r, timeout, done)
}

// Permit has an announce over UDP fail, which begins with this question.
func (a announcer) Permit(url string, from world.Origin, addr netip.Addr, patience time.Duration) (time.Duration, error) {
	if err := a.strike(url); err != nil {
		return 0, err
	}
	return a.Announcer.Permit(url, from, addr, patience)
}

func (a announcer) strike(url string) error {
	f := a.site.strike(Tracker, func(s *Spec) bool { return s.URL.Match(url) }, metainfo.MaskURL(url))
	if f == nil {
		return nil
	}
	return &world.AnnounceError{Phase: trackerErrors[f.Error], Err: errInjected}
}
