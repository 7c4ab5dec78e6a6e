package real

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/natpmp"
)

const (
	// A request is sent again after firstResend, then after twice that, as RFC
	// 6886 has it, until the call's time is up.
	firstResend = 250 * time.Millisecond
	// maxAnswers is how many datagrams of the router are looked at for one
	// request.
	maxAnswers = 64
)

var errNoRouter = errors.New("there is no router, as far as this machine knows")

// pmp is one client of NAT-PMP or PCP. Its socket is connected, so that the
// system takes datagrams of the router alone.
type pmp struct {
	conn   *net.UDPConn
	inner  netip.Addr
	router netip.Addr
	pcp    bool
}

func (g *Gateway) dialPMP(ctx context.Context, m world.PortMapping) (*pmp, error) {
	device := ""
	if g.source != nil {
		device = g.source.device
	}
	router, err := defaultRouter(device)
	if err != nil {
		return nil, err
	}
	local, err := g.local(m.Inner.Addr())
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error { return g.source.bindDevice(c) }}
	if local.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	conn, err := dialer.DialContext(ctx, "udp4", netip.AddrPortFrom(router, natpmp.Port).String())
	if err != nil {
		return nil, cause(err)
	}
	udp := conn.(*net.UDPConn)
	return &pmp{conn: udp, inner: udp.LocalAddr().(*net.UDPAddr).AddrPort().Addr(), router: router, pcp: m.By == world.PCP}, nil
}

func (g *Gateway) mapByPMP(ctx context.Context, m world.PortMapping) (mapped world.Mapped, err error) {
	p, err := g.dialPMP(ctx, m)
	if err != nil {
		return mapped, err
	}
	defer p.conn.Close()
	want := natpmp.Map{TCP: true, Inner: m.Inner.Port(), Outer: m.Outer, Lease: m.Lease, Nonce: m.Nonce}
	tcp, err := p.ask(ctx, want)
	if err != nil {
		return mapped, err
	}
	want.TCP, want.Outer = false, tcp.Outer
	udp, err := p.ask(ctx, want)
	if err != nil {
		return mapped, err
	}
	addr := tcp.Addr
	if !p.pcp {
		told, err := p.exchange(ctx, natpmp.AppendAddress(nil), func(r natpmp.Reply) bool { return r.Address })
		if err != nil {
			return mapped, err
		}
		addr = told.Addr
	}
	return world.Mapped{Outer: netip.AddrPortFrom(addr, tcp.Outer), Router: p.router, Lease: min(tcp.Lease, udp.Lease)}, nil
}

func (g *Gateway) unmapByPMP(ctx context.Context, m world.PortMapping) error {
	p, err := g.dialPMP(ctx, m)
	if err != nil {
		return err
	}
	defer p.conn.Close()
	over := natpmp.Map{TCP: true, Inner: m.Inner.Port(), Outer: m.Outer, Nonce: m.Nonce}
	_, err = p.ask(ctx, over)
	over.TCP = false
	_, other := p.ask(ctx, over)
	return errors.Join(err, other)
}

// ask sends a request until the router answers it.
func (p *pmp) ask(ctx context.Context, m natpmp.Map) (r natpmp.Reply, err error) {
	var request []byte
	if p.pcp {
		request = natpmp.AppendPCP(nil, m, p.inner)
	} else {
		request = natpmp.AppendPMP(nil, m)
	}
	r, err = p.exchange(ctx, request, func(r natpmp.Reply) bool {
		return r.PCP == p.pcp && r.Answers(m) || p.pcp && r.Older()
	})
	if err == nil {
		err = r.Err()
	}
	if err == nil && m.Lease > 0 && (r.Outer == 0 || r.Lease == 0) {
		err = errors.New("the router maps to no port, or for no time")
	}
	return r, err
}

func (p *pmp) exchange(ctx context.Context, request []byte, answers func(natpmp.Reply) bool) (natpmp.Reply, error) {
	defer context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) })()
	buf := make([]byte, 2048)
	taken := 0
	for wait := firstResend; ; wait *= 2 {
		if _, err := p.conn.Write(request); err != nil {
			return natpmp.Reply{}, cause(err)
		}
		_ = p.conn.SetReadDeadline(time.Now().Add(wait))
		for {
			if ctx.Err() != nil {
				return natpmp.Reply{}, errTimedOut
			}
			n, err := p.conn.Read(buf)
			if cause(err) == errTimedOut {
				break
			}
			if err != nil {
				return natpmp.Reply{}, cause(err)
			}
			if taken++; taken > maxAnswers {
				return natpmp.Reply{}, errors.New("the router answers what was not asked")
			}
			if r, err := natpmp.Parse(buf[:n]); err == nil && answers(r) {
				return r, nil
			}
		}
	}
}
