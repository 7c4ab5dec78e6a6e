package real

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"kouzui/actors/world"
)

// Source is where connections and look-ups of names leave from, and by which
// proxy. A nil Source leaves that to the system.
type Source struct {
	name   string   // as the user wrote it
	addrs  []net.IP // one a family
	zone   string   // of an address that only an interface makes whole
	device string   // an interface; empty: none
	local  bool     // addrs can reach this machine alone
	names  *net.Resolver
	proxy  *Proxy  // nil: none
	direct *Source // from where the proxy is connected to
}

// NewSource binds to an address of this machine, or to the addresses of a
// network interface, IPv4 and IPv6. On Linux, where the system permits it,
// nothing then leaves through another interface. It fails if that is not
// possible now.
func NewSource(addr netip.Addr, device string) (*Source, error) {
	s := &Source{name: device, device: device}
	switch {
	case addr.IsValid() && device != "":
		return nil, errors.New("an address and an interface exclude each other")
	case addr.IsValid():
		s.name = addr.String()
		s.addrs, s.zone = []net.IP{addr.Unmap().AsSlice()}, addr.Zone()
	default:
		var err error
		if s.addrs, err = addressesOf(device); err != nil {
			return nil, err
		}
	}
	for _, ip := range s.addrs {
		if err := s.try(ip); err != nil {
			return nil, fmt.Errorf("cannot bind to %s: %w", s.name, cause(err))
		}
	}
	s.local = s.addrs[0].IsLoopback()
	s.names = &net.Resolver{PreferGo: true, Dial: s.dialNames}
	return s, nil
}

// Through is the source s, which may be nil, with a proxy through which all
// connections are made. No datagram leaves then, and no name is looked up but
// that of the proxy.
func (s *Source) Through(p *Proxy) *Source {
	through := &Source{proxy: p, direct: s, names: &net.Resolver{PreferGo: true, Dial: lookUpNothing}}
	through.name = "the proxy " + p.addr
	return through
}

// errNotLookedUp: only the proxy looks names up.
var errNotLookedUp = errors.New("with a proxy, no name is looked up here")

func lookUpNothing(context.Context, string, string) (net.Conn, error) { return nil, errNotLookedUp }

// Proxied tells whether all connections are made through a proxy.
func (s *Source) Proxied() bool { return s != nil && s.proxy != nil }

// Greet finds out whether the proxy, if there is one, lets us in. An error is a
// *ProxyError.
func (s *Source) Greet(ctx context.Context) error {
	if !s.Proxied() {
		return nil
	}
	return s.proxy.greet(ctx, s.direct)
}

// triedFor is how long try waits for an answer of this machine, which a
// firewall may keep back.
const triedFor = time.Second

// try tells whether connections can be bound to ip. Systems bind also to
// addresses of many, as 192.0.2.255 in a network of 256, and choose another
// when something is sent. They do not connect to those, whereas an address of
// this machine alone answers itself.
func (s *Source) try(ip net.IP) error {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip, Zone: s.zone})
	if err != nil {
		return err
	}
	defer listener.Close()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: ip, Zone: s.zone}, Timeout: triedFor}
	conn, err := dialer.Dial("tcp", listener.Addr().String())
	if errors.Is(err, syscall.ENETUNREACH) {
		return errors.New("it is not the address of one machine")
	}
	if err == nil {
		_ = conn.Close()
	}
	return nil
}

// addressesOf is an address of each family that an interface has.
func addressesOf(device string) (addrs []net.IP, err error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, fmt.Errorf("there is no network interface %q", device)
	}
	all, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	var v4, v6 net.IP
	for _, a := range all {
		n, is := a.(*net.IPNet)
		switch {
		case !is || n.IP.IsLinkLocalUnicast():
		case n.IP.To4() != nil && v4 == nil:
			v4 = n.IP
		case n.IP.To4() == nil && v6 == nil:
			v6 = n.IP
		}
	}
	for _, ip := range []net.IP{v4, v6} {
		if ip != nil {
			addrs = append(addrs, ip)
		}
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("the network interface %q has no address", device)
	}
	return addrs, nil
}

// addressFor is the address that a socket is bound to which should have the
// address wanted.
func (s *Source) addressFor(wanted netip.Addr) (netip.Addr, error) {
	if s == nil {
		return wanted, nil
	}
	if s.Proxied() {
		return netip.Addr{}, world.ErrProxied
	}
	for _, ip := range s.addrs {
		if addr, ok := netip.AddrFromSlice(ip); ok && addr.Unmap().Is4() == wanted.Is4() {
			return addr.Unmap().WithZone(s.zone), nil
		}
	}
	return netip.Addr{}, world.ErrNoAddress
}

// bindDevice keeps a socket to the interface, if one was chosen.
func (s *Source) bindDevice(c syscall.RawConn) error {
	if s == nil || s.device == "" {
		return nil
	}
	return bindToDevice(c, s.device)
}

// Host is the address at which connections are accepted, unless the user names
// another.
func (s *Source) Host() string { return s.addrs[0].String() }

// Resolver looks names up from the source. A resolver of the system that runs
// on this machine is asked all the same (see LocalResolver); from which address
// that resolver asks other servers cannot be set here.
func (s *Source) Resolver() *net.Resolver {
	if s == nil {
		return net.DefaultResolver
	}
	return s.names
}

// dial connects to addr from the source. permit is asked about each address
// once names are resolved; nil: all are permitted. With a proxy, it is asked
// once, about none.
func (s *Source) dial(ctx context.Context, network, addr string, permit func(context.Context, netip.Addr) error) (net.Conn, error) {
	if s.Proxied() {
		if permit != nil {
			if err := permit(ctx, netip.Addr{}); err != nil { // the proxy alone knows the address
				return nil, err
			}
		}
		return s.proxy.dial(ctx, s.direct, addr)
	}
	control := func(ctx context.Context, _, resolved string, c syscall.RawConn) error {
		if permit != nil {
			to, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return err
			}
			if err := permit(ctx, to.Addr()); err != nil {
				return err
			}
		}
		return s.bindDevice(c)
	}
	dialer := net.Dialer{ControlContext: control, Resolver: s.Resolver()}
	dialer.SetMultipathTCP(false)
	if s == nil {
		return dialer.DialContext(ctx, network, addr)
	}
	var failed error
	for _, ip := range s.addrs {
		dialer.LocalAddr = &net.TCPAddr{IP: ip, Zone: s.zone}
		conn, err := dialer.DialContext(ctx, network, addr)
		if err == nil {
			return conn, nil
		}
		if failed == nil || !unsuitable(err) {
			failed = err
		}
	}
	if unsuitable(failed) {
		return nil, fmt.Errorf("there is no way from %s to an address of that family", s.name)
	}
	return nil, failed
}

// unsuitable: the addresses of the other side are of another family.
func unsuitable(err error) bool {
	var addr *net.AddrError
	return errors.As(err, &addr) && strings.Contains(addr.Err, "no suitable address")
}

// cannotBind tells whether a name server is on this machine, where nothing that
// leaves from the source can arrive.
func (s *Source) cannotBind(server netip.Addr) bool { return server.IsLoopback() && !s.local }

// LocalResolver is a name server on this machine that is asked by connections
// that are not bound to the source; the zero Addr if there is none.
func (s *Source) LocalResolver(ctx context.Context) netip.Addr {
	if s.Proxied() && s.proxy.named {
		s = s.direct
	}
	if s == nil || s.Proxied() {
		return netip.Addr{}
	}
	for _, server := range nameServers(ctx) {
		if s.cannotBind(server) {
			return server
		}
	}
	return netip.Addr{}
}

// nameServers are those that the system says are to be asked. None is asked:
// a look-up is begun, and its connections are not made.
func nameServers(ctx context.Context) (servers []netip.Addr) {
	var mu sync.Mutex
	watched := net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if server, err := netip.ParseAddrPort(addr); err == nil && !slices.Contains(servers, server.Addr()) {
			servers = append(servers, server.Addr())
		}
		return nil, errors.New("not asked")
	}}
	_, _ = watched.LookupHost(ctx, "name.invalid")
	mu.Lock()
	defer mu.Unlock()
	return servers
}

// dialNames connects to a name server.
func (s *Source) dialNames(ctx context.Context, network, addr string) (net.Conn, error) {
	server, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	if s.cannotBind(server.Addr()) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error { return s.bindDevice(c) }}
	for _, ip := range s.addrs {
		if (ip.To4() != nil) != server.Addr().Unmap().Is4() {
			continue
		}
		if strings.HasPrefix(network, "udp") {
			dialer.LocalAddr = &net.UDPAddr{IP: ip, Zone: s.zone}
		} else {
			dialer.LocalAddr = &net.TCPAddr{IP: ip, Zone: s.zone}
		}
		return dialer.DialContext(ctx, network, addr)
	}
	return nil, fmt.Errorf("there is no way from %s to the name server %v", s.name, server.Addr())
}
