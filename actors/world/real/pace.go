package real

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Strangers may name many servers at one address, under as many names: it must
// not be attacked by way of us. One server may be asked freely, as all torrents
// may have the same tracker.
const (
	serversAtOnce   = 4               // the first of an address, which wait for nothing
	serverEvery     = 5 * time.Second // each further one
	serverKept      = time.Minute     // how long a server may be asked freely once it has been
	addressesPruned = 1000            // addresses in memory, before those that matter no more are forgotten
)

// newcomers paces the servers that strangers name at each address. Its methods
// are called on several goroutines.
type newcomers struct {
	mu sync.Mutex
	at map[netip.Addr]*arrivals
}

// arrivals are the servers of one address.
type arrivals struct {
	next    time.Time // when a server would come if they came at serverEvery
	servers []arrival
}

type arrival struct {
	name string // host and port, as in a URL
	at   time.Time
}

// wait returns how long the server of that name has to wait before it is asked.
// A server that would have to wait for longer than patience is not counted.
func (n *newcomers) wait(addr netip.Addr, name string, now time.Time, patience time.Duration) (time.Duration, bool) {
	addr = addr.Unmap().WithZone("")
	if !addr.Is4() {
		network, _ := addr.Prefix(64) // one host may have all of them
		addr = network.Addr()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.at[addr]
	if a == nil {
		n.prune(now)
		a = &arrivals{next: now}
		n.at[addr] = a
	}
	a.prune(now)
	if i := slices.IndexFunc(a.servers, func(s arrival) bool { return s.name == name }); i >= 0 {
		wait := max(0, a.servers[i].at.Sub(now))
		return wait, wait <= patience
	}
	if a.next.Before(now) {
		a.next = now
	}
	wait := max(0, a.next.Sub(now)-(serversAtOnce-1)*serverEvery)
	if wait > patience {
		return wait, false
	}
	a.next = a.next.Add(serverEvery)
	a.servers = append(a.servers, arrival{name, now.Add(wait)})
	return wait, true
}

func (a *arrivals) prune(now time.Time) {
	a.servers = slices.DeleteFunc(a.servers, func(s arrival) bool { return now.Sub(s.at) >= serverKept })
}

func (n *newcomers) prune(now time.Time) {
	if n.at == nil {
		n.at = map[netip.Addr]*arrivals{}
	}
	if len(n.at) < addressesPruned {
		return
	}
	for addr, a := range n.at {
		if a.prune(now); len(a.servers) == 0 && !a.next.After(now) {
			delete(n.at, addr)
		}
	}
}
