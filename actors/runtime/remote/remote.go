// Package remote lets the actors of several processes send to each other and
// watch each other: Proto.Actor's remote (gRPC) behind mutual TLS and a gate.
//
// Each side listens, and each connects to the other: what a process sends goes
// over the connection that it made. Whoever holds no certificate of the same
// authority, for the other role, gets no further than the TLS handshake. What
// comes from one who does is looked at before the library reads it, see gate.
//
// A message is a value of protobuf. Its sender is known only if it was sent by
// Request. A watcher is told of the end of an actor, of its process (the
// connections end), and of its machine (nothing comes for a while).
package remote

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	library "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// Config is what Start needs.
type Config struct {
	// Listen is the HOST:PORT to listen at, and to be called by: others connect to
	// it. Port 0 is any that is free.
	Listen string

	Identity *Identity

	// Open tells which actors may be sent to from outside, by their paths.
	Open func(path string) bool

	// OwnHost refuses senders that claim to be at another host than the one which
	// they connect from: an answer to them would go to a third.
	OwnHost bool
}

// Bounds of what others may cost.
const (
	maxMessage     = 4 << 20 // bytes of what arrives at once: a batch of messages
	maxBatch       = 8       // messages in a batch of ours
	maxConnections = 2500    // that others have made: one each, for 1,000 workers, and as many again while they reconnect
	handshakeTime  = 5 * time.Second
)

// A machine that has vanished is noticed within the sum of these.
const (
	askAfter = 10 * time.Second // of silence; gRPC allows no shorter time
	waitFor  = 5 * time.Second  // for the answer
)

// connectTries is how often the library tries to connect before a watcher is
// told; it sleeps two seconds after each.
const connectTries = 1

// Remote is one process's end.
type Remote struct {
	library *library.Remote
	system  *actor.ActorSystem
}

// ErrAddress: nothing can listen at such an address.
var ErrAddress = errors.New("a wrong address")

// Start begins to listen. It is called before the first actor of the system is
// spawned, for the addresses of actors name what they were spawned with.
func Start(system *actor.ActorSystem, c Config) (*Remote, error) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return nil, fmt.Errorf("%w: %s: name the one that the others connect to", ErrAddress, c.Listen)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: the port is not a number from 0 to 65535", ErrAddress, c.Listen)
	}
	advertised := c.Listen
	if number == 0 {
		advertised = "" // the library takes the port that it is given
	}
	g := &gate{open: c.Open, ownHost: c.OwnHost}
	alive := keepalive.ClientParameters{Time: askAfter, Timeout: waitFor}
	config := library.Configure(bracketed(host), int(number),
		library.WithAdvertisedHost(advertised),
		library.WithEndpointWriterBatchSize(maxBatch),
		library.WithEndpointWriterQueueSize(maxBatch), // to begin with
		library.WithDialOptions(
			grpc.WithTransportCredentials(c.Identity.client()),
			grpc.WithKeepaliveParams(alive),
			grpc.WithNoProxy(),
		),
		library.WithServerOptions(
			grpc.Creds(c.Identity.server(maxConnections)),
			grpc.ConnectionTimeout(handshakeTime),
			grpc.MaxRecvMsgSize(maxMessage),
			grpc.MaxConcurrentStreams(1),
			grpc.KeepaliveParams(keepalive.ServerParameters{Time: askAfter, Timeout: waitFor}),
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: askAfter / 2}),
			grpc.StreamInterceptor(g.stream),
			grpc.UnaryInterceptor(g.unary),
		),
	)
	config.MaxRetryCount = connectTries
	r := &Remote{library: library.NewRemote(system, config), system: system}
	if err := r.start(c.Listen); err != nil {
		return nil, err
	}
	return r, nil
}

// start begins to listen. The library panics if that fails, without the error
// of the system; so the address is tried first.
func (r *Remote) start(listen string) (err error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil { // another process was quicker
			err = fmt.Errorf("%v", p)
		}
	}()
	r.library.Start()
	return nil
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// Close ends all connections that came in, by which the others hear that this
// process leaves. Those that go out last until the process ends. The library
// could end them as well, but panics in goroutines of its own if a connection
// ends at that moment.
func (r *Remote) Close() { r.library.Shutdown(false) }

// Address is the HOST:PORT under which the process is known to others.
func (r *Remote) Address() string { return r.system.Address() }
