package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
)

// Role is what a process is among those that are connected. A process speaks
// only with those of the other role.
type Role string

// The roles.
const (
	Coordinator Role = "coordinator"
	Worker      Role = "worker"
)

func (r Role) other() Role {
	if r == Coordinator {
		return Worker
	}
	return Coordinator
}

// Identity is a certificate with its key, and the authority that those of all
// others are from.
type Identity struct {
	role      Role
	own       tls.Certificate
	authority *x509.CertPool
}

// ReadIdentity reads what NewIdentities has made for a process of that role.
func ReadIdentity(text []byte, role Role, now time.Time) (*Identity, error) {
	id := &Identity{role: role, authority: x509.NewCertPool()}
	var err error
	if id.own, err = tls.X509KeyPair(text, text); err != nil {
		return nil, fmt.Errorf("no certificate with its key: %w", err)
	}
	leaf := id.own.Leaf
	if leaf == nil {
		return nil, errors.New("no certificate")
	}
	switch {
	case !slices.Contains(leaf.DNSNames, string(role)):
		return nil, fmt.Errorf("the certificate is not that of a %s", role)
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("the certificate was good until %s", leaf.NotAfter.Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("the certificate is good from %s on; is the clock right?", leaf.NotBefore.Format(time.DateTime))
	}
	found := false
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != certificateBlock {
			continue
		}
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && c.IsCA {
			id.authority.AddCert(c)
			found = true
		}
	}
	if !found {
		return nil, errors.New("the certificate of the authority is missing")
	}
	id.own.Certificate = id.own.Certificate[:1] // the authority's is known to the other side
	return id, nil
}

// client is how the process connects to others.
func (id *Identity) client() credentials.TransportCredentials {
	return credentials.NewTLS(id.clientConfig())
}

func (id *Identity) clientConfig() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{id.own},
		RootCAs:      id.authority,
		ServerName:   string(id.role.other()),
	}
}

// server is how others, at most so many, connect to the process.
func (id *Identity) server(most int64) credentials.TransportCredentials {
	return &bounded{most: most, open: new(atomic.Int64), TransportCredentials: credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{id.own},
		ClientCAs:    id.authority,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error {
			return s.PeerCertificates[0].VerifyHostname(string(id.role.other()))
		},
	})}
}

// bounded are credentials for a bounded number of connections, those whose
// handshake is under way among them.
type bounded struct {
	credentials.TransportCredentials
	most int64
	open *atomic.Int64
}

var errFull = errors.New("there are too many connections")

// ServerHandshake implements credentials.TransportCredentials.
func (b *bounded) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if b.open.Add(1) > b.most {
		b.open.Add(-1)
		return nil, nil, errFull
	}
	conn, info, err := b.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		b.open.Add(-1)
		return nil, nil, err
	}
	return &counted{Conn: conn, open: b.open}, info, nil
}

// Clone implements credentials.TransportCredentials.
func (b *bounded) Clone() credentials.TransportCredentials {
	return &bounded{b.TransportCredentials.Clone(), b.most, b.open}
}

// counted is a connection that makes room when it is closed.
type counted struct {
	net.Conn
	open   *atomic.Int64
	closed atomic.Bool
}

// Close implements net.Conn.
func (c *counted) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.open.Add(-1)
	}
	return c.Conn.Close()
}

const certificateBlock = "CERTIFICATE"

// IdentityFile is the name of the file with the identity of a process of that
// role.
func IdentityFile(r Role) string { return string(r) + ".pem" }

// probeTime is how long a process at the other end may take to answer.
const probeTime = 5 * time.Second

// Probe connects to another process, and tells from which of our addresses. It
// returns what is wrong, which the library does not tell. With ErrStranger it
// makes no sense to try again.
func (id *Identity) Probe(ctx context.Context, address string) (host string, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer raw.Close()
	if deadline, is := ctx.Deadline(); is {
		_ = raw.SetDeadline(deadline) // a connection that is closed already fails below
	}
	config := id.clientConfig()
	config.NextProtos = []string{"h2"} // gRPC's
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return "", stranger(err)
	}
	// A server that does not know our certificate says so only now. Otherwise it
	// begins with its settings.
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return "", stranger(err)
	}
	host, _, err = net.SplitHostPort(raw.LocalAddr().String())
	return host, err
}

// stranger makes an error of a handshake ErrStranger, but not that of a
// connection that has broken off: the process at the other end may have been
// killed, and another take its place.
func stranger(err error) error {
	var broken *net.OpError
	if errors.As(err, &broken) && broken.Op != "remote error" || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStranger, err)
}

// ErrStranger: the process at the other end has no certificate of the same
// authority, for the other role.
var ErrStranger = errors.New("the other side is not what it must be")
