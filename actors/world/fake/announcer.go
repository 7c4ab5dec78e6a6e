package fake

import (
	"net/netip"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
)

// Announcer is a world.Announcer whose trackers are the test.
type Announcer struct {
	// Answer, if it is set before the first announce, answers each at once.
	// Otherwise each announce waits until the test takes it with AwaitAnnounce and
	// answers it.
	Answer func(url string, r announce.Request) (announce.Reply, error)

	// Barred, if it is set, says why a UDP tracker at an address may not be asked.
	Barred func(url string, from world.Origin, addr netip.Addr) error

	calls queue[*Announce]
}

// Announce is one call to a tracker.
type Announce struct {
	URL     string
	From    world.Origin
	Request announce.Request
	Timeout time.Duration

	once once
	done func(announce.Reply, error)
}

// Announce implements world.Announcer.
func (a *Announcer) Announce(url string, from world.Origin, r announce.Request, timeout time.Duration, done func(announce.Reply, error)) (cancel func()) {
	call := &Announce{URL: url, From: from, Request: r, Timeout: timeout, done: done}
	a.calls.put(call)
	if a.Answer != nil {
		call.answer(a.Answer(url, r))
	}
	return func() { call.once.take() }
}

// Permit implements world.Announcer.
func (a *Announcer) Permit(url string, from world.Origin, addr netip.Addr, _ time.Duration) (time.Duration, error) {
	if a.Barred == nil {
		return 0, nil
	}
	return 0, a.Barred(url, from, addr)
}

// LeaveOut implements world.Announcer: no peer is left out.
func (*Announcer) LeaveOut(*announce.Reply, netip.Addr) {}

// AwaitAnnounce waits for an announce and takes it off the list.
func (a *Announcer) AwaitAnnounce() *Announce { return a.calls.next() }

// Waiting is how many announces AwaitAnnounce would give without waiting.
func (a *Announcer) Waiting() int { return a.calls.len() }

// Reply answers the call; false means that it was cancelled or answered before.
func (c *Announce) Reply(r announce.Reply) bool { return c.answer(r, nil) }

// Fail answers the call with an error, as the real world does when phase fails.
func (c *Announce) Fail(phase world.Phase, err error) bool {
	return c.answer(announce.Reply{}, &world.AnnounceError{Phase: phase, Err: err})
}

func (c *Announce) answer(r announce.Reply, err error) bool {
	first := c.once.take()
	if first {
		c.done(r, err)
	}
	return first
}
