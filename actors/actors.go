// Package actors puts the supervision tree together and is the engine's API for
// Go programs.
//
//	client                      one per process; supervises, and does nothing else
//	├ limiter                   token buckets of the process
//	├ listener                  accepts connections
//	├ socket-<4, 6>             datagrams of one family
//	├ mapper                    has the router pass our port on to us
//	├ session                   what the user wants: commands, shares, events
//	└ torrents                  spawns and stops the torrents
//	   └ torrent-<hash>         one per torrent
//	      ├ tracker-<n>         one per tier
//	      ├ metadata            while only the info hash is known
//	      └ engine              what is rebuilt together
//	         ├ store            files; hash workers under it
//	         ├ scheduler        which block is asked of which peer
//	         ├ choker           which peers may download from us
//	         ├ web-<n>          one per web seed
//	         └ peers            known addresses, connected peers
//	            └ peer-<n>      one connection
//
// Start makes a Client, Add gives it torrents, and what becomes of them arrives
// at Options.Notify as the events of package messages: Progress,
// TorrentCompleted, TorrentDone, TorrentFailed, TorrentMetainfoFound,
// TorrentDataChanged, TorrentAnnounced, TorrentPiecesVerified,
// TorrentPeerBanned, TorrentWebSeedDropped, AddressesBlocked, SendingMeasured,
// ListenerReady, ListenerFailed, SocketReady, SocketFailed and DHTReport.
package actors

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/bits-and-blooms/bitset"
	"github.com/rs/zerolog"

	"kouzui/actors/client"
	"kouzui/actors/runtime/dispatch"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/fault"
	"kouzui/actors/runtime/mailbox"
	"kouzui/actors/runtime/pattern"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/work"
	"kouzui/actors/torrent"
	"kouzui/actors/world"
	"kouzui/messages"
	"kouzui/wire/blocklist"
	"kouzui/wire/buffer"
	"kouzui/wire/choice"
	"kouzui/wire/metainfo"
)

// Version of this program, as it stands in peer ids and user agents.
const Version = "0.1.0"

// ErrAdded: the torrent has been added before, and has not ended.
var ErrAdded = errors.New("the torrent has been added already")

// DefaultMemory is how many bytes of payload all torrents together may hold.
const DefaultMemory = 14 << 20

// Options are what a client is started with. Zero values are defaults.
type Options struct {
	World *world.World
	Pool  *buffer.Pool // the one that World's links use
	Log   zerolog.Logger
	Sinks []event.Sink
	// Sample is how often the mailboxes are looked at for the trace; 0: never.
	Sample time.Duration
	// Measurable allows Tree().Look.
	Measurable bool
	// Meter sums up what actors do for the trace; nil: nobody does.
	Meter *work.Meter
	// Notes puts what actors do into the trace too: chokes, pieces, announces.
	Notes bool
	// Notify takes the events. It is called from one goroutine and must not
	// block.
	Notify func(any)

	// Listen is where connections are accepted: "host:port", port 0 for any,
	// a range as "6881-6889". Empty: nowhere.
	Listen string
	// Host is where UDP sockets are bound if Listen is empty; empty: at all
	// addresses.
	Host   string
	Memory int64 // bytes
	Limits messages.SetLimits
	// Blocklist is the addresses that are neither dialled nor let in; nil: none.
	// Trackers that stand on it are asked all the same.
	Blocklist *blocklist.List
	// Encryption is what is wanted of it; the zero value: to allow it.
	Encryption messages.EncryptionPolicy

	// MapPorts: routers are asked to pass on to us what comes to the port at which
	// we listen, while a torrent runs of which others can hear.
	MapPorts bool
	// DHT is with what the DHT begins; nil: there is none.
	DHT *DHT

	// Name is that of the root, with which all paths begin; empty: "client".
	Name string
	// Dispatcher, Blocking and Mailbox are those of a simulated world, in which no
	// actor has a goroutine; Together makes what makes the mailboxes of one
	// engine, whose actors share a thread of control. nil: those that Patterns
	// choose.
	Dispatcher, Blocking actor.Dispatcher
	Mailbox              actor.MailboxProducer
	Together             func() actor.MailboxProducer

	// Restarts is how failed actors are restarted, and how often until they are
	// given up, in place of what the chosen supervision says. What then happens is
	// each supervisor's own.
	Restarts supervise.Backoff
	// Patterns are those that were chosen for the client.
	Patterns pattern.Choice
	// Faults are what breaks on purpose.
	Faults []fault.Spec
}

// DHT is with what the DHT of a client begins. Nothing is sent, and no name is
// looked up, before the first torrent is looked for.
type DHT struct {
	Bootstrap []string     // "host:port" of nodes that know others
	Before    [2]DHTMemory // of IPv4 and IPv6
	// AtOnce: nodes are looked for from the start, not from the first torrent on.
	AtOnce bool
	// ReadOnly: other nodes are told not to count on this one, and are not
	// answered (BEP 43).
	ReadOnly bool
}

// DHTMemory is what the DHT of one address family knew in an earlier run, as
// the last DHTReport had it.
type DHTMemory struct {
	ID       [20]byte   // by which other nodes know us; zero: none
	External netip.Addr // for which ID was made (BEP 42); the zero value: not known
	Nodes    []netip.AddrPort
}

// InDHT tells whether a torrent with these options and trackers is looked for
// in the DHT.
func InDHT(o *messages.TorrentOptions, private bool, trackers [][]string) bool {
	return torrent.InDHT(o, private, trackers)
}

// Client runs torrents. Its methods are safe for concurrent use.
type Client struct {
	tree    *supervise.Tree
	pid     *actor.PID // of the root
	session *actor.PID
	orders  *orders
	ended   *ended
	dht     [2]bool // there is one of this family
}

// Start builds the tree.
func Start(o Options) (*Client, error) {
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Name == "" {
		o.Name = "client"
	}
	if o.Notify == nil {
		o.Notify = func(any) {}
	}
	if err := o.Patterns.Check(pattern.Everywhere); err != nil {
		return nil, err
	}
	supervision := pattern.Chosen(supervise.Supervisions, o.Patterns)
	if o.Restarts != (supervise.Backoff{}) {
		supervision.Restarts = o.Restarts
	}
	if o.Dispatcher == nil {
		o.runForReal()
	}
	counted := &restarts{counts: map[string]int{}}
	end := &ended{root: o.Name, done: make(chan struct{})}
	tree := supervise.New(supervise.Config{
		System: supervise.NewSystem(o.Log), Clock: o.World.Clock, Chance: o.World.Chance,
		Sinks: append([]event.Sink{counted, end}, o.Sinks...), Sample: o.Sample, Measurable: o.Measurable, Meter: o.Meter,
		Dispatcher: o.Dispatcher, Blocking: o.Blocking, Mailbox: o.Mailbox,
	})
	tree.TakeNotes(o.Notes)
	notify := o.Notify
	o.Notify = func(m any) {
		if _, is := m.(*messages.TorrentCompleted); is {
			tree.RecordWork() // that of a download apart from that of seeding
		}
		notify(m)
	}
	parts := assembly{
		Options: o, tree: tree, counted: counted, orders: newOrders(o.Notify, o.Limits),
		self: newPeerID(o.World.Chance), key: o.World.Chance.Source("tracker key").Uint32(),
		supervision: supervision,
	}
	if len(o.Faults) > 0 {
		parts.faults = fault.New(o.Faults, o.World.Clock)
		parts.faults.Begin(tree)
	}
	pid, err := tree.Spawn(o.Name, parts.client(), client.Guardian(supervision.Restarts))
	if err != nil {
		return nil, fmt.Errorf("cannot start: %w", err)
	}
	session := actor.NewPID(pid.Address, pid.Id+"/"+client.Session)
	return &Client{tree: tree, pid: pid, session: session, orders: parts.orders, ended: end, dht: parts.dht()}, nil
}

// runForReal has the actors run by goroutines, as Patterns choose.
func (o *Options) runForReal() {
	blocking := new(dispatch.Blocking)
	box := pattern.Chosen(mailbox.Mailboxes, o.Patterns)
	granularity := pattern.Chosen(mailbox.Granularities, o.Patterns)
	o.Dispatcher, o.Blocking = pattern.Chosen(dispatch.Dispatchers, o.Patterns).Real(), blocking
	o.Mailbox = box.Producer
	o.Together = func() actor.MailboxProducer { return granularity.Engine(box.Rule, blocking) }
}

// Tree is the supervision tree, to be watched, or broken on purpose.
func (c *Client) Tree() *supervise.Tree { return c.tree }

// Ended is closed when nothing runs any more: after Shutdown, or because
// supervision has given up the root. Then no event follows.
func (c *Client) Ended() <-chan struct{} { return c.ended.done }

// Each command is kept in orders before it is sent: when a session dies while
// it handles a command, the next session finds the command in orders.

// Add starts a torrent. The error is ErrAdded.
func (c *Client) Add(t *metainfo.Torrent, o messages.TorrentOptions) error {
	return c.add(&messages.AddTorrent{InfoHash: t.InfoHash, Name: t.Name, Announce: t.Announce, Torrent: t, Options: o})
}

// AddHash starts a torrent of which only the info hash is known, and maybe a
// name to be shown and tiers of trackers. It connects with peers; SetMetainfo
// lets it download.
func (c *Client) AddHash(hash metainfo.Hash, name string, announce [][]string, o messages.TorrentOptions) error {
	return c.add(&messages.AddTorrent{InfoHash: hash, Name: name, Announce: announce, Options: o})
}

func (c *Client) add(m *messages.AddTorrent) error {
	m.Announce = metainfo.Supported(m.Announce)
	m.Abroad = torrent.Abroad(&m.Options, m.Torrent != nil && m.Torrent.Private, m.Announce)
	err := c.orders.add(m)
	if err == nil {
		c.send(m)
	}
	return err
}

// SetMetainfo tells what is in a torrent that was added by its hash.
func (c *Client) SetMetainfo(t *metainfo.Torrent) {
	m := &messages.SetMetainfo{Torrent: t}
	c.orders.setMetainfo(m)
	c.send(m)
}

// Choose says which files of a torrent are to be downloaded. The choice must
// not be changed afterwards.
func (c *Client) Choose(hash metainfo.Hash, files *choice.Choice) {
	c.want(&messages.SetWanted{InfoHash: hash, Choice: files})
}

// SetWanted chooses the pieces of a torrent to be downloaded; nil: all. The set
// must not be changed any more.
func (c *Client) SetWanted(hash metainfo.Hash, pieces *bitset.BitSet) {
	c.want(&messages.SetWanted{InfoHash: hash, Pieces: pieces})
}

func (c *Client) want(m *messages.SetWanted) {
	c.orders.setWanted(m)
	c.send(m)
}

// Stop ends a torrent in good order; TorrentDone follows within a few seconds.
func (c *Client) Stop(hash metainfo.Hash) {
	c.orders.stop(hash)
	c.send(&messages.StopTorrent{InfoHash: hash})
}

// HasDHT tells whether there is a DHT of the address family, messages.IPv4 or
// messages.IPv6.
func (c *Client) HasDHT(family int) bool { return c.dht[family] }

// Ask hands a question to the tree: one of QueryStatus, QueryFiles,
// QueryTrackers, QueryPeers, QueryDHT, QueryDHTPeers and QueryDHTNode.
func (c *Client) Ask(question any) { c.send(question) }

// SetLimits changes the rates of the whole process, in bytes a second; 0 means
// no limit.
func (c *Client) SetLimits(down, up int64) {
	limits := messages.SetLimits{Down: down, Up: up}
	c.orders.limit(limits)
	c.send(&limits)
}

// send does nothing before the first session has started: a session finds in
// orders all that was ordered before.
func (c *Client) send(m any) {
	if c.orders.heard() {
		c.tree.System.Root.Send(c.session, m)
	}
}

// Halt has everything stop at once, like Shutdown, but waits for nothing: Ended
// tells the end, after which Shutdown lets go of the rest.
func (c *Client) Halt() { c.tree.Stop(c.pid) }

// Shutdown stops everything at once; torrents that were not stopped before lose
// what was not verified. It waits for at most within.
func (c *Client) Shutdown(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return c.tree.Shutdown(ctx, c.pid)
}
