package kouzui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kouzui/actors"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/messages"
	"kouzui/wire/blocklist"
	"kouzui/wire/buffer"
)

const (
	// DefaultMemory is Config.Memory unless it is set.
	DefaultMemory = actors.DefaultMemory
	// DefaultConnections is Config.MaxConnections unless it is set: room for ten
	// torrents with all the peers that they may have.
	DefaultConnections = 500
	// Nowhere is the Config.Listen of a client that accepts no connections. One
	// whose datagrams come to one address alone has "host:none".
	Nowhere = ":" + noPort

	noPort = "none"

	minMemory  = 1 << 20 // bytes: a few pieces of the usual size under way
	freeBlocks = 1024    // that the pool keeps: 16 MiB

	// maxUnmapping is how long Close waits for routers, beside its context.
	maxUnmapping = 3 * time.Second
)

// Patterns are ways to do something, by the kind of what is done: package
// pattern lists both, and so does `kouzui lab patterns`. A kind that is missing
// has its default. {"picker": "random"} is one.
type Patterns = pattern.Choice

// EncryptionPolicy is when connections with peers are encrypted.
type EncryptionPolicy = messages.EncryptionPolicy

// The policies of encryption. Peers that connect to us choose for themselves,
// unless it is required or off.
const (
	// AllowEncryption connects without, and again with encryption if a peer has
	// cut the connection off at once.
	AllowEncryption = messages.AllowEncryption
	// PreferEncryption connects with it, and again without if that fails.
	PreferEncryption = messages.PreferEncryption
	// RequireEncryption connects with it alone, and encrypts all that is sent;
	// with the other policies, that is only done if the peer wants it, and else
	// only the handshakes are encrypted.
	RequireEncryption = messages.RequireEncryption
	NoEncryption      = messages.NoEncryption
)

// DHT is with what a client enters the DHT; DHTMemory is what an earlier run
// knew, as the last DHTReported of each address family had it.
type (
	DHT       = actors.DHT
	DHTMemory = actors.DHTMemory
)

// Config is what a client is opened with. The zero value works.
type Config struct {
	// Dir is where the data of torrents lies whose Options name no other folder.
	// Empty: the working directory.
	Dir string
	// Listen is where peers may connect: "host:port", where port may be a list
	// with ranges as in "6881-6889,0", of which the first free one is taken, and 0
	// is any. Empty: any port, at all addresses. Nowhere: peers cannot connect.
	// Datagrams leave from the same address and port, and come there.
	Listen string
	// Bind is an address of this machine, or Interface the name of a network
	// interface, from which everything leaves: connections with peers and
	// trackers, and look-ups of names. Peers are accepted there too, unless Listen
	// names a host. Zero: the system decides.
	Bind      netip.Addr
	Interface string
	// Proxy is the SOCKS5 proxy through which everything goes:
	// "socks5://[USER:PASSWORD@]HOST:PORT". It also looks names up, but for its
	// own. What cannot go through a proxy is off: trackers over UDP, the DHT and
	// MapPorts. Peers can connect only if Listen says where. Empty: there is none.
	Proxy string
	// AllowPrivate: the trackers of a .torrent may be at any address of this
	// machine and network, and so may the peers that trackers name. Without it
	// such a tracker's path must end in /announce, and only trackers inside name
	// peers inside.
	AllowPrivate bool
	// Memory is how many bytes of payload all torrents together may hold.
	Memory int64
	// DownloadLimit and UploadLimit are in bytes a second; 0: no limit.
	DownloadLimit, UploadLimit int64
	// MaxConnections bounds the connections of all torrents together.
	MaxConnections int
	// Blocklist has the addresses that are neither dialled nor let in; nil: none.
	Blocklist *blocklist.List
	// Encryption is whether connections with peers are encrypted (MSE): it is
	// allowed, unless this is set.
	Encryption EncryptionPolicy
	// MapPorts: the router is asked, by UPnP, NAT-PMP and PCP, to pass on to us
	// what comes to the port at which we listen, unless that is at loopback, and
	// while a torrent runs of which other machines can hear: one that names a
	// tracker or a peer elsewhere, or is looked for in the DHT.
	MapPorts bool
	// DHT is with what the client enters the DHT (BEP 5) when the first torrent is
	// looked for there, see Options.DHT; nil: it takes no part.
	DHT *DHT

	// Log takes what is of interest to developers. The zero Logger logs nothing.
	Log zerolog.Logger
	// Trace takes the life of every actor: see package event. TraceNotes adds
	// chokes, pieces, bans and announces, SampleMailboxes how full mailboxes are.
	Trace           []event.Sink
	TraceNotes      bool
	SampleMailboxes time.Duration
	// Measurable allows Client.Tree().Look, which measures how busy actors are and
	// who sends what to whom. While nobody looks it costs next to nothing.
	Measurable bool
	// Restarts is how failed actors are restarted, and how often.
	Restarts supervise.Backoff
	// Patterns are those that were chosen in place of defaults, for the client and
	// for torrents whose Options choose no other.
	Patterns Patterns
	// Faults are what breaks on purpose.
	Faults []fault.Spec

	// World is what the client reaches outside the process, for tests; Pool is the
	// one that its links use. nil: the real world.
	World *world.World
	Pool  *buffer.Pool
}

// validate finds values that make no sense.
func (c *Config) validate() error {
	switch {
	case c.Memory < 0 || c.Memory > 0 && c.Memory < minMemory:
		return &OptionError{"Memory", "must be at least 1 MiB"}
	case c.DownloadLimit < 0:
		return &OptionError{"DownloadLimit", "cannot be negative"}
	case c.UploadLimit < 0:
		return &OptionError{"UploadLimit", "cannot be negative"}
	case c.MaxConnections < 0:
		return &OptionError{"MaxConnections", "cannot be negative"}
	case c.SampleMailboxes < 0:
		return &OptionError{"SampleMailboxes", "cannot be negative"}
	case math.IsNaN(c.Restarts.Factor) || math.IsNaN(c.Restarts.Jitter):
		return &OptionError{"Restarts", "must be numbers"}
	case c.Restarts != (supervise.Backoff{}) && c.Patterns["supervision"] != "":
		return &OptionError{"Restarts", "and the pattern of supervision exclude each other"}
	case !slices.Contains([]EncryptionPolicy{"", AllowEncryption, PreferEncryption, RequireEncryption, NoEncryption}, c.Encryption):
		return &OptionError{"Encryption", fmt.Sprintf("cannot be %q", c.Encryption)}
	case slices.Contains(c.Trace, nil):
		return &OptionError{"Trace", "has a sink that is nil"}
	}
	if c.DHT != nil && c.Proxy != "" {
		return &OptionError{"DHT", "does not go through a proxy"}
	}
	if c.DHT != nil {
		for _, node := range c.DHT.Bootstrap {
			host, port, err := net.SplitHostPort(node)
			if number, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || number == 0 || host == "" {
				return &OptionError{"DHT", fmt.Sprintf("cannot begin with %q", node)}
			}
		}
	}
	if err := c.Patterns.Check(pattern.Real); err != nil {
		return &OptionError{"Patterns", "cannot be used: " + err.Error()}
	}
	return nil
}

// source is where everything leaves from, and by which proxy; nil: the system
// decides.
func (c *Config) source() (*real.Source, error) {
	source, err := c.bound()
	if err != nil || c.Proxy == "" {
		return source, err
	}
	proxy, err := real.ParseProxy(c.Proxy)
	if err != nil {
		return nil, &OptionError{"Proxy", err.Error()}
	}
	return source.Through(proxy), nil
}

// bound is what Bind and Interface bind to; nil: the system decides. It is also
// where peers are accepted, if Listen names no host.
func (c *Config) bound() (*real.Source, error) {
	if !c.Bind.IsValid() && c.Interface == "" {
		return nil, nil
	}
	source, err := real.NewSource(c.Bind, c.Interface)
	if err != nil {
		field := "Bind"
		if c.Interface != "" {
			field = "Interface"
		}
		return nil, &OptionError{field, err.Error()}
	}
	if host, port, err := net.SplitHostPort(c.Listen); err == nil && host == "" {
		c.Listen = net.JoinHostPort(source.Host(), port)
	}
	return source, nil
}

// Client runs torrents.
type Client struct {
	config Config
	engine *actors.Client

	mu        sync.Mutex
	closed    bool
	torrents  map[Hash]*Torrent // that have not ended
	added     uint64
	listening netip.AddrPort
	listener  Event            // the last Listening or ListenFailed, nil before the first
	sockets   [2]*SocketFailed // by family; nil: bound, or not tried yet
	bound     chan struct{}    // closed once listening is known
	subs      map[*subscription]bool
	done      chan struct{} // closed when nothing runs any more
}

// Open starts a client.
func Open(c Config) (*Client, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.Dir = cmp.Or(c.Dir, ".")
	if c.Listen == "" && c.Proxy != "" {
		c.Listen = Nowhere
	}
	c.Listen = cmp.Or(c.Listen, ":0")
	c.Memory = cmp.Or(c.Memory, DefaultMemory)
	c.MaxConnections = cmp.Or(c.MaxConnections, DefaultConnections)
	if c.Pool == nil {
		c.Pool = buffer.NewPool(freeBlocks)
	}
	if c.World == nil {
		source, err := c.source()
		if err != nil {
			return nil, err
		}
		c.World = real.New(real.Options{
			Pool: c.Pool, Version: actors.Version, Connections: c.MaxConnections, Source: source, AllowPrivate: c.AllowPrivate,
		})
	}
	c.Patterns = c.Patterns.Or(nil) // the caller may change its own
	client := &Client{
		config: c, torrents: map[Hash]*Torrent{}, subs: map[*subscription]bool{},
		bound: make(chan struct{}), done: make(chan struct{}),
	}
	options := actors.Options{
		World: c.World, Pool: c.Pool, Log: c.Log, Sinks: c.Trace, Sample: c.SampleMailboxes, Measurable: c.Measurable, Notes: c.TraceNotes,
		Notify: client.notify, Listen: c.Listen, MapPorts: c.MapPorts, Memory: c.Memory,
		Limits:    messages.SetLimits{Down: c.DownloadLimit, Up: c.UploadLimit},
		Blocklist: c.Blocklist, Encryption: c.Encryption, DHT: c.DHT, Restarts: c.Restarts, Patterns: c.Patterns, Faults: c.Faults,
	}
	if host, port, err := net.SplitHostPort(c.Listen); err == nil && port == noPort {
		options.Listen, options.Host = "", host
	}
	client.mu.Lock() // notify waits until engine is set
	defer client.mu.Unlock()
	engine, err := actors.Start(options)
	if err != nil {
		return nil, err
	}
	client.engine = engine
	go client.awaitEnd()
	return client, nil
}

// awaitEnd ends what still runs when the tree has ended: closed, or given up.
func (c *Client) awaitEnd() {
	<-c.engine.Ended()
	c.mu.Lock()
	defer c.mu.Unlock()
	why := ErrClosed
	if !c.closed {
		why = ErrGivenUp
	}
	c.closed = true
	for _, t := range c.inOrder() {
		c.end(t, t.last, why)
	}
	for s := range c.subs {
		s.close()
	}
	clear(c.subs)
	close(c.done)
}

// opened returns ErrClosed if nothing can be asked of the client. c.mu is held.
func (c *Client) opened() error {
	if c.engine == nil || c.closed {
		return ErrClosed
	}
	return nil
}

// Close stops all torrents in good order: what has come is kept, trackers are
// told. When ctx ends first, they stop as they are, and Close returns its
// error.
func (c *Client) Close(ctx context.Context) error {
	if c == nil || c.engine == nil {
		return nil
	}
	c.mu.Lock()
	c.closed = true
	torrents := c.inOrder()
	c.mu.Unlock()
	ctx = background(ctx)
	unmapped := c.unmapped(ctx)
	for _, t := range torrents {
		t.stop()
	}
	for _, t := range torrents {
		select {
		case <-t.ended:
		case <-ctx.Done():
		}
	}
	<-unmapped
	c.engine.Halt()
	select {
	case <-c.done:
		return c.engine.Shutdown(time.Minute) // nothing runs, so nothing is waited for
	case <-ctx.Done():
		return errors.Join(ctx.Err(), c.engine.Shutdown(0))
	}
}

// unmapped has the router pass nothing on to us any more. The channel is closed
// when it has answered, or too late.
func (c *Client) unmapped(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if !c.config.MapPorts {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, maxUnmapping)
		defer cancel()
		_, _ = askUntil(ctx, c, c.done, func(reply func(struct{})) any { return &messages.QueryUnmapped{Reply: reply} })
	}()
	return done
}

// Done is closed when nothing runs any more: the client was closed, or
// supervision has given up a part that everything depends on. Then torrents end
// with ErrGivenUp.
func (c *Client) Done() <-chan struct{} {
	if c == nil || c.done == nil {
		never := make(chan struct{})
		close(never)
		return never
	}
	return c.done
}

// Torrents lists the torrents that have not ended, in the order in which they
// were added.
func (c *Client) Torrents() []*Torrent {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inOrder()
}

func (c *Client) inOrder() []*Torrent {
	all := make([]*Torrent, 0, len(c.torrents))
	for _, t := range c.torrents {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *Torrent) int { return cmp.Compare(a.number, b.number) })
	return all
}

// SetLimits changes the rates of all torrents together, in bytes a second; 0:
// no limit.
func (c *Client) SetLimits(download, upload int64) error {
	if download < 0 || upload < 0 {
		return &OptionError{"SetLimits", "cannot be negative"}
	}
	if c == nil {
		return ErrClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.opened()
	if err == nil {
		c.engine.SetLimits(download, upload)
	}
	return err
}

// Addr waits until the client listens, and returns where. That it cannot listen
// is an event, ListenFailed: it tries again.
func (c *Client) Addr(ctx context.Context) (netip.AddrPort, error) {
	if c == nil || c.engine == nil {
		return netip.AddrPort{}, ErrClosed
	}
	ctx = background(ctx)
	select {
	case <-c.bound:
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.listening, nil
	case <-c.done:
		return netip.AddrPort{}, ErrClosed
	case <-ctx.Done():
		return netip.AddrPort{}, ctx.Err()
	}
}

// Tree is the supervision tree, to be looked at or broken on purpose; nil for a
// client that was never opened.
func (c *Client) Tree() *supervise.Tree {
	if c == nil || c.engine == nil {
		return nil
	}
	return c.engine.Tree()
}

// background is ctx, or a context that never ends.
func background(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// Pickers are the values of Options.Picker, the default first.
func Pickers() []string { return pattern.Names("picker") }

// Chokers are the values of Options.Choker, the default first.
func Chokers() []string { return pattern.Names("choker") }

// Version of this library, as peers and trackers are told it.
const Version = actors.Version
