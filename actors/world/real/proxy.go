package real

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	socks "golang.org/x/net/proxy"

	"kouzui/wire/metainfo"
)

const (
	// throughProxy is how long a connection through a proxy may take to be made,
	// with what the proxy itself waits for; who asks may have less time.
	throughProxy = time.Minute
	// greetTime is how long a proxy may take to let us in at the start.
	greetTime = 10 * time.Second

	maxCredential = 255 // bytes of a user and of a password (RFC 1929)
	maxHost       = 255 // bytes of a name that a proxy looks up (RFC 1928)
)

// Proxy is a SOCKS5 proxy (RFC 1928, 1929), which connects to where it is asked
// to and looks names up. Its text has neither user nor password.
type Proxy struct {
	addr   string // host:port
	named  bool   // its host is a name, which is looked up by us
	auth   bool   // there are a user and a password
	client socksClient
}

// socksClient asks a proxy, over a connection with it, to connect on to an
// address.
type socksClient interface {
	DialWithConn(ctx context.Context, c net.Conn, network, address string) (net.Addr, error)
}

// ParseProxy reads socks5://[USER:PASSWORD@]HOST:PORT. With socks5h instead,
// names are looked up by the proxy, as they are anyway. No error quotes the
// text, which may hold a password.
func ParseProxy(text string) (*Proxy, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is not of the form socks5://[USER:PASSWORD@]HOST:PORT, in which signs of a password such as : / @ # % are written %3A %2F %40 %23 %25")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Scheme != "socks5" && u.Scheme != "socks5h":
		return nil, errors.New("is not the URL of a SOCKS5 proxy, socks5://[USER:PASSWORD@]HOST:PORT")
	case u.Hostname() == "" || len(u.Hostname()) > maxHost || metainfo.Clean(u.Hostname(), maxHost) != u.Hostname():
		return nil, errors.New("names no host")
	case err != nil || port == 0:
		return nil, errors.New("names no port")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("has more than socks5://[USER:PASSWORD@]HOST:PORT")
	}
	p := &Proxy{addr: net.JoinHostPort(u.Hostname(), u.Port())}
	_, noAddr := netip.ParseAddr(u.Hostname())
	p.named = noAddr != nil
	var auth *socks.Auth
	if u.User != nil {
		auth = &socks.Auth{User: u.User.Username()}
		auth.Password, _ = u.User.Password()
		p.auth = true
		if auth.User == "" || len(auth.User) > maxCredential || len(auth.Password) > maxCredential {
			return nil, errors.New("must have a user, and user and password of at most 255 bytes each")
		}
	}
	dialer, err := socks.SOCKS5("tcp", p.addr, auth, nil)
	if err != nil {
		return nil, err
	}
	client, is := dialer.(socksClient)
	if !is {
		return nil, errors.New("cannot be used by this build")
	}
	p.client = client
	return p, nil
}

func (p *Proxy) String() string { return p.addr }

// GoString keeps user and password out of what %#v writes.
func (p *Proxy) GoString() string { return p.addr }

// ProxyError is why a proxy does not connect us to where it was asked to.
type ProxyError struct {
	Proxy string // host:port
	Err   error
}

func (e *ProxyError) Error() string { return "the proxy " + e.Proxy + " " + e.Err.Error() }

func (e *ProxyError) Unwrap() error { return e.Err }

// dial connects to addr, whose host may be a name, through the proxy, with
// which it connects from a source.
func (p *Proxy) dial(ctx context.Context, from *Source, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, throughProxy)
	defer cancel()
	conn, err := p.connect(ctx, from)
	if err != nil {
		return nil, err
	}
	if _, err := p.client.DialWithConn(ctx, conn, "tcp", addr); err != nil {
		_ = conn.Close()
		return nil, &ProxyError{p.addr, p.refusal(err)}
	}
	return conn, nil
}

func (p *Proxy) connect(ctx context.Context, from *Source) (net.Conn, error) {
	conn, err := from.dial(ctx, "tcp", p.addr, nil)
	if err != nil {
		return nil, &ProxyError{p.addr, fmt.Errorf("cannot be reached: %w", explain(ctx, err))}
	}
	return conn, nil
}

// errGreeted ends a greeting that went well.
var errGreeted = errors.New("the proxy has let us in")

// greeting is a connection with a proxy on which we say who we are, and ask for
// nothing.
type greeting struct{ net.Conn }

// Write does not send the request that follows the greeting. It begins with the
// version, as the greeting does, which is shorter.
func (g greeting) Write(b []byte) (int, error) {
	const (
		version    = 5
		minRequest = 10 // bytes
	)
	if len(b) >= minRequest && b[0] == version {
		return 0, errGreeted
	}
	return g.Conn.Write(b)
}

// greet finds out whether the proxy lets us in.
func (p *Proxy) greet(ctx context.Context, from *Source) error {
	ctx, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	conn, err := p.connect(ctx, from)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = p.client.DialWithConn(ctx, greeting{conn}, "tcp", "0.0.0.0:1")
	if errors.Is(err, errGreeted) {
		return nil
	}
	return &ProxyError{p.addr, p.refusal(err)}
}

// refusal says in words why the library could not have the proxy connect us.
func (p *Proxy) refusal(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	text := err.Error()
	reply, is := strings.CutPrefix(text, "unknown error ")
	switch {
	case is:
		return errors.New("cannot connect: " + reply)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("has cut the connection off")
	case strings.HasPrefix(text, "unexpected protocol version"):
		return errors.New("does not speak SOCKS5")
	case text == "username/password authentication failed":
		return errors.New("refuses user and password")
	case text == "no acceptable authentication methods" && p.auth:
		return errors.New("takes no user and password")
	case text == "no acceptable authentication methods":
		return errors.New("wants a user and a password, or lets us in in no way that we know")
	}
	if err = cause(err); err == errTimedOut {
		return errors.New("has not connected in time")
	}
	return fmt.Errorf("cannot be used: %w", err)
}
