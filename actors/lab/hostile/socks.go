package hostile

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
)

// SOCKS is a SOCKS5 proxy (RFC 1928, 1929) that does as it should, for tests.
type SOCKS struct {
	// User and Password are demanded; both empty: everybody is let in.
	User, Password string
	// Leads says where an address leads that the proxy is asked for, host and
	// port; empty: there is nothing. nil: everything leads to itself.
	Leads func(addr string) string

	mu    sync.Mutex
	asked []string
	from  []netip.AddrPort
}

// Asked are the addresses that the proxy was asked for, in order.
func (s *SOCKS) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// From are the addresses from which the proxy was connected to, in order.
func (s *SOCKS) From() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.from)
}

// Serve runs the proxy on an address of this machine until ctx ends, and
// returns its host and port.
func (s *SOCKS) Serve(ctx context.Context) (addr string, err error) {
	return serveProxy(ctx, func(conn net.Conn) {
		s.mu.Lock()
		s.from = append(s.from, netip.MustParseAddrPort(conn.RemoteAddr().String()))
		s.mu.Unlock()
		s.serve(ctx, conn)
	})
}

func serveProxy(ctx context.Context, serve func(net.Conn)) (addr string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				defer stop()
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return l.Addr().String(), nil
}

// Replies of a proxy, and kinds of addresses.
const (
	socksVersion = 5
	granted      = 0
	unreachable  = 4
	asIPv4       = 1
	asName       = 3
	asIPv6       = 4
)

func (s *SOCKS) serve(ctx context.Context, conn net.Conn) {
	if !s.greet(conn) {
		return
	}
	addr, ok := readRequest(conn)
	if !ok {
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, addr)
	s.mu.Unlock()
	if s.Leads != nil {
		addr = s.Leads(addr)
	}
	var to net.Conn
	if addr != "" {
		to, _ = new(net.Dialer).DialContext(ctx, "tcp", addr) // nil: it cannot be reached
	}
	if to == nil {
		_, _ = conn.Write([]byte{socksVersion, unreachable, 0, asIPv4, 0, 0, 0, 0, 0, 0})
		return
	}
	stop := context.AfterFunc(ctx, func() { to.Close() })
	defer stop()
	defer to.Close()
	// The address that the proxy connects from, by a name: we read all kinds.
	if _, err := conn.Write([]byte{socksVersion, granted, 0, asName, 1, 'a', 0, 1}); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(to, conn)
		_ = to.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(conn, to)
}

// greet lets the client in, or not.
func (s *SOCKS) greet(conn net.Conn) bool {
	const (
		open     = 0
		password = 2
		none     = 0xff
	)
	methods, ok := counted(conn, socksVersion)
	want := byte(open)
	if s.User != "" || s.Password != "" {
		want = password
	}
	if !ok || !bytes.Contains(methods, []byte{want}) {
		_, _ = conn.Write([]byte{socksVersion, none})
		return false
	}
	if _, err := conn.Write([]byte{socksVersion, want}); err != nil || want == open {
		return err == nil
	}
	user, ok := counted(conn, 1)
	if !ok {
		return false
	}
	length := make([]byte, 1)
	if _, err := io.ReadFull(conn, length); err != nil {
		return false
	}
	given := make([]byte, length[0])
	if _, err := io.ReadFull(conn, given); err != nil {
		return false
	}
	wrong := byte(1)
	if string(user) == s.User && string(given) == s.Password {
		wrong = 0
	}
	_, err := conn.Write([]byte{1, wrong})
	return err == nil && wrong == 0
}

// counted reads a version, a length, and so many bytes.
func counted(conn net.Conn, version byte) ([]byte, bool) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil || head[0] != version {
		return nil, false
	}
	text := make([]byte, head[1])
	_, err := io.ReadFull(conn, text)
	return text, err == nil
}

// readRequest reads where the client wants to be connected to.
func readRequest(conn net.Conn) (addr string, ok bool) {
	const connect = 1
	head := make([]byte, 5) // with the first byte of the address
	if _, err := io.ReadFull(conn, head); err != nil || head[0] != socksVersion || head[1] != connect {
		return "", false
	}
	length := map[byte]int{asIPv4: 4 - 1, asIPv6: 16 - 1, asName: int(head[4])}[head[3]]
	rest := make([]byte, length+2)
	if _, err := io.ReadFull(conn, rest); err != nil || length == 0 {
		return "", false
	}
	host := string(rest[:length])
	if head[3] != asName {
		ip, _ := netip.AddrFromSlice(append(head[4:5:5], rest[:length]...))
		host = ip.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(rest[length:])))), true
}

// BadProxy is one kind of a proxy that is none.
type BadProxy struct {
	Name string
	// Says is a part of why it cannot be used; empty: it lets everybody in, and
	// fails only when it is to connect.
	Says string
	// Hangs says that it keeps the client waiting.
	Hangs bool
	act   func(net.Conn)
}

// Serve runs the proxy on an address of this machine until ctx ends, and
// returns its host and port.
func (p BadProxy) Serve(ctx context.Context) (addr string, err error) {
	return serveProxy(ctx, p.act)
}

// BadProxies are all that are known.
func BadProxies() []BadProxy {
	says := func(answers ...string) func(net.Conn) {
		return func(conn net.Conn) {
			for _, answer := range answers {
				if _, err := conn.Read(make([]byte, 1024)); err != nil {
					return
				}
				if _, err := conn.Write([]byte(answer)); err != nil {
					return
				}
			}
		}
	}
	holds := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
	const hello = "\x05\x00"
	return []BadProxy{
		{Name: "cut off at once", Says: "cut the connection off", act: func(net.Conn) {}},
		{Name: "cut off within the greeting", Says: "cut the connection off", act: says("\x05")},
		{Name: "mute", Hangs: true, act: holds},
		{Name: "a web server", Says: "does not speak SOCKS5", act: says("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{Name: "of version 4", Says: "does not speak SOCKS5", act: says("\x04\x5a\x00\x00\x00\x00\x00\x00")},
		{Name: "lets nobody in", Says: "wants a user and a password", act: says("\x05\xff")},
		{Name: "chooses what was not offered", act: says("\x05\x07")},
		{Name: "cut off within the answer", act: says(hello, "\x05\x00\x00")},
		{Name: "another version in the answer", act: says(hello, "\x04\x00\x00\x01\x7f\x00\x00\x01\x00\x01")},
		{Name: "refuses", act: says(hello, "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")},
		{Name: "refuses by a code that is unknown", act: says(hello, "\x05\xfe\x00\x01\x00\x00\x00\x00\x00\x00")},
		{Name: "an address of an unknown kind", act: says(hello, "\x05\x00\x00\x09\x7f\x00\x00\x01\x00\x01")},
		{Name: "a long name that is not whole", act: says(hello, "\x05\x00\x00\x03\xffx")},
	}
}
