package real

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
)

// reach is from how far an address can be reached.
type reach uint8

const (
	sameMachine reach = iota
	sameNetwork
	public
)

// networks are ranges that are reached from one network only, beside those that
// package netip knows.
var networks = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"),  // behind a provider's translation (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),   // RFC 6890
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks (RFC 2544)
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved
	netip.MustParsePrefix("64:ff9b:1::/48"), // local translation (RFC 8215)
	netip.MustParsePrefix("fec0::/10"),      // site-local, of old
}

// carriers are prefixes behind which an IPv6 address carries an IPv4 address,
// and at which of its bytes.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // translation (RFC 6052)
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4 (RFC 3056)
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible, of old
}

// reachOf tells from how far an address can be reached. A connection to the
// unspecified address arrives at this machine.
func reachOf(a netip.Addr) reach {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLoopback(), a.IsUnspecified(), a.Is4() && a.As4()[0] == 0:
		return sameMachine
	case a.IsPrivate(), a.IsLinkLocalUnicast(), a.IsMulticast(),
		slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) }):
		return sameNetwork
	}
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			b := a.As16()
			return reachOf(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
		}
	}
	return public
}

// IsPublic tells whether an address can be reached from everywhere: it lies in
// no network of its own, such as ours.
func IsPublic(a netip.Addr) bool { return reachOf(a) == public }

// barredError says why an address is not connected to.
type barredError string

func (e barredError) Error() string { return string(e) }

// visit is one request with its redirections. It decides which addresses the
// request may lead to once their names are resolved: what a stranger wrote must
// not make us ask for things inside our own network. Its methods are called on
// several goroutines.
type visit struct {
	from      world.Origin
	all       bool      // every address is allowed
	webSeed   bool      // what is asked is no tracker
	scrape    bool      // of what looks like a tracker it is the scrape that is asked for
	until     time.Time // when the request fails
	newcomers *newcomers

	mu      sync.Mutex
	hops    int      // redirections that were followed, and one
	first   *url.URL // that began it
	url     *url.URL // that is asked now
	at      reach    // where the last connection led
	proxied bool     // a proxy connects to the server
}

type visitKey struct{}

func (h *HTTP) visit(ctx context.Context, from world.Origin) *visit {
	until, is := ctx.Deadline() // connections are made with another context
	if !is {
		until = time.Now().Add(serverKept)
	}
	return &visit{from: from, all: h.allowPrivate, until: until, newcomers: &h.newcomers}
}

// errCrowded: a server has to wait for longer than its request may take.
var errCrowded = errors.New("torrents name many servers at one address; this one is asked later")

// enter refuses an address, or returns once its server may be asked.
func (v *visit) enter(ctx context.Context, addr netip.Addr) error {
	if v == nil {
		return nil
	}
	if err := v.permit(addr); err != nil {
		return err
	}
	v.mu.Lock()
	free, name := v.from == world.FromUser || v.proxied, v.url.Host
	v.mu.Unlock()
	if free {
		return nil
	}
	wait, ok := v.newcomers.wait(addr, name, time.Now(), time.Until(v.until))
	switch {
	case !ok:
		return errCrowded
	case wait == 0:
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// next records the URL that is asked next.
func (v *visit) next(u *url.URL) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hops++; v.hops == 1 {
		v.first = u
	}
	v.url = u
}

// permit refuses an address, or returns nil. Addresses inside are for URLs that
// the user gave, and for what looks like a tracker there. A redirection leads
// from outside to nowhere inside, and from a stranger's tracker inside to
// nothing but that tracker.
func (v *visit) permit(addr netip.Addr) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	to := reachOf(addr)
	if v.proxied {
		to = v.behindProxy()
	}
	path := v.url.EscapedPath()
	isTracker := strings.HasSuffix(path, "/announce") || v.scrape && strings.HasSuffix(path, "/scrape")
	switch {
	case v.all || to == public:
	case v.hops > 1 && v.at == public:
		return barredError("redirected from a public address to one inside this network")
	case v.from == world.FromUser:
	case v.hops > 1 && v.url.Host != v.first.Host:
		return barredError("redirected to another server inside this network")
	case v.webSeed:
		return barredError("the torrent names a web seed inside this network (--allow-private permits it)")
	case !isTracker:
		return barredError("the torrent names an address inside this network, and its path does not end in /announce (--allow-private permits it)")
	}
	return nil
}

// behindProxy is from how far the server that a proxy connects to can be
// reached, as far as the URL tells: the proxy looks a name up, which counts as
// public, unless it is always that of the machine itself (RFC 6761).
func (v *visit) behindProxy() reach {
	host := v.url.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		return reachOf(addr)
	}
	if name := strings.ToLower(strings.TrimSuffix(host, ".")); name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return sameMachine
	}
	return public
}

// proxyOf is the proxy of the environment, unless the source has one, which
// connects to everything. It tells the visit of either.
func (s *Source) proxyOf(r *http.Request) (p *url.URL, err error) {
	if !s.Proxied() {
		p, err = http.ProxyFromEnvironment(r)
	}
	if v, is := r.Context().Value(visitKey{}).(*visit); is {
		v.mu.Lock()
		v.proxied = p != nil || s.Proxied()
		v.mu.Unlock()
	}
	return p, err
}

// trace records where each connection led.
func (v *visit) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.at = reachOf(addrPort(i.Conn.RemoteAddr()).Addr())
		if v.proxied {
			v.at = v.behindProxy()
		}
	}}
}

// leaveOut takes peers out of a reply that a tracker cannot know of: those of
// this machine or network, unless the tracker is there itself.
func (v *visit) leaveOut(r *announce.Reply) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all {
		return
	}
	before := len(r.Peers)
	r.Peers = slices.DeleteFunc(r.Peers, func(p announce.Peer) bool { return reachOf(p.Addr.Addr()) < v.at })
	r.Dropped += before - len(r.Peers)
	if n := before - len(r.Peers); n > 0 && r.Warning == "" {
		r.Warning = fmt.Sprintf("peers inside this network (%d), which a tracker outside cannot know, are left out", n)
	}
}
