package sim

import (
	"fmt"
	"net/netip"
	"time"
)

// names is the world.Names of one process.
type names struct {
	host *Host
	life *life
}

// resolverDelay is the delay of the server that knows all names, see
// Class.Delay.
const resolverDelay = 10 * time.Millisecond

// GiveName gives the host a name by which others find it. A name may stand for
// several hosts.
func (h *Host) GiveName(name string) { h.sim.named[name] = append(h.sim.named[name], h.Addr) }

// Resolve implements world.Names. The answer takes a round trip; who is on
// another side of a partition than 0 gets none.
func (n names) Resolve(name string, timeout time.Duration, done func([]netip.Addr, error)) (cancel func()) {
	s, wait := n.host.sim, time.Duration(0)
	literal, err := netip.ParseAddr(name)
	found := []netip.Addr{literal.Unmap()}
	if err != nil {
		found, wait = s.named[name], 2*(n.host.Delay+resolverDelay)
		err = nil
		if found == nil {
			err = fmt.Errorf("%s: no such host", name)
		}
		if n.host.side != 0 {
			wait = timeout
		}
		if wait >= timeout {
			found, err, wait = nil, errTimedOut, timeout
		}
	}
	e := s.at(s.now+int64(wait), Resolved, n.life, func() { done(append([]netip.Addr(nil), found...), err) })
	return func() { e.Stop() }
}
