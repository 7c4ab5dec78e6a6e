// Package client is the root of the tree: it owns the limiter, the listener and
// the torrents, shares the memory among the torrents, and tells whoever listens
// what becomes of them.
package client

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"kouzui/actors/runtime/supervise"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Strategy is how the client answers failures: one torrent that cannot be kept
// alive is stopped, and the others notice nothing; limiter and listener are
// restarted for ever.
func Strategy(usual supervise.Backoff) supervise.Strategy {
	torrent, service := usual, usual
	torrent.WhenSpent = supervise.ThenStop
	service.WhenSpent = supervise.Forever
	return supervise.ByKind(map[string]supervise.Strategy{"torrent": torrent}, service)
}

// Config is what the client is built from.
type Config struct {
	Memory int64 // bytes of payload at a time, for all torrents together
	Limits messages.SetLimits
	// Notify takes the events for the outside: Progress, TorrentCompleted,
	// TorrentDone, TorrentFailed, TorrentDataChanged, TorrentAnnounced, TorrentPiecesVerified,
	// TorrentPeerBanned, AddressesBlocked, ListenerReady and ListenerFailed. It must
	// not block.
	Notify func(any)
	// Restarts counts the restarts of actors at or below a path.
	Restarts func(path string) int
	// Limiter, Listener and Torrent make the props of its parts. Listener may
	// be nil: then nobody can connect to us.
	Limiter  *actor.Props
	Listener func(refs messages.Refs) *actor.Props
	Torrent  func(refs messages.Refs, add *messages.AddTorrent, share Share) *actor.Props
}

// Share is what a torrent is given of the process at its start.
type Share struct {
	Memory int64 // bytes of payload
	Limits messages.SetLimits
	Port   uint16 // at which we can be dialled; 0: nowhere
}

// New builds the client.
func New(c Config) actor.Actor {
	return &client{Config: c, torrents: map[metainfo.Hash]*entry{}}
}

type entry struct {
	hash  metainfo.Hash
	pid   *actor.PID
	ended bool // its last word has been passed on
	// whole: all its pieces were there once in this run.
	whole bool
	// What the user told since it was added; nil: nothing.
	metainfo *messages.SetMetainfo
	wanted   *messages.SetWanted
	last     messages.Progress
	// memory is what it was told last that it may hold, in bytes; 0: nothing yet.
	memory int64
}

// hungry tells whether payload may come: memory is for those, not for torrents
// that are complete.
func (e *entry) hungry() bool { return e.last.State != messages.StateSeeding && !e.ended }

// sharing: the client to itself, so that many changes are followed by one
// division of the memory.
type sharing struct{}

type client struct {
	Config
	refs     messages.Refs
	listener *actor.PID
	addr     netip.AddrPort // where the listener listens
	// early are commands that wait for the listener's first word: what torrents
	// tell their trackers depends on it.
	early    []any
	tried    bool // that word has come
	torrents map[metainfo.Hash]*entry
	sharing  bool // a division of the memory is on its way
	turns    int  // of torrents that were asked to make room
}

func (cl *client) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		cl.start(c)
	case *messages.AddTorrent, *messages.SetMetainfo, *messages.SetWanted:
		cl.command(c, m)
	case *messages.StopTorrent:
		if t := cl.torrents[m.InfoHash]; t != nil {
			c.Send(t.pid, m)
		}
	case *messages.SetLimits:
		cl.Limits = *m
		cl.limit(c)
	case *messages.LimiterReady:
		cl.limit(c)
	case *sharing:
		cl.share(c)

	case *messages.ConnectionsExhausted:
		cl.makeRoom(c)

	case *messages.ListenerStarted:
		c.Send(cl.listener, &messages.Listen{Before: cl.addr})
	case *messages.ListenerReady:
		cl.listening(c, m)
	case *messages.ListenerFailed:
		cl.Notify(m)
		cl.admit(c)
	case *messages.TorrentStarted:
		cl.started(c, m.InfoHash)
	case *messages.Progress:
		last := cl.counted(c, m.InfoHash, *m)
		cl.Notify(&last)
	case *messages.TorrentAnnounced, *messages.TorrentPiecesVerified, *messages.TorrentPeerBanned, *messages.TorrentDataChanged,
		*messages.AddressesBlocked:
		cl.Notify(m)
	case *messages.TorrentCompleted:
		if t := cl.torrents[m.InfoHash]; t != nil {
			t.whole = t.whole || m.Last.HavePieces == m.Last.Pieces
		}
		cl.Notify(&messages.TorrentCompleted{InfoHash: m.InfoHash, Last: cl.counted(c, m.InfoHash, m.Last)})
	case *messages.TorrentDone:
		last := cl.counted(c, m.InfoHash, m.Last)
		cl.ended(c, m.InfoHash, &messages.TorrentDone{InfoHash: m.InfoHash, Complete: m.Complete, Last: last})
	case *messages.TorrentFailed:
		last := cl.counted(c, m.InfoHash, m.Last)
		cl.ended(c, m.InfoHash, &messages.TorrentFailed{InfoHash: m.InfoHash, Err: m.Err, Last: last})
	case *actor.Stopping:
		clear(cl.torrents) // what stops now has not failed
	case *actor.Terminated:
		cl.terminated(c, m)
	}
}

func (cl *client) start(c actor.Context) {
	cl.refs.Session = c.Self()
	cl.refs.Limiter = cl.spawn(c, cl.Limiter, "limiter")
	if cl.Listener != nil {
		cl.listener = cl.spawn(c, cl.Listener(cl.refs), "listener")
	} else {
		cl.tried = true
	}
}

// limit tells everybody the rates: the limiter keeps them, peers ask for tokens
// by them.
func (cl *client) limit(c actor.Context) {
	limits := cl.Limits
	c.Send(cl.refs.Limiter, &limits)
	for _, t := range cl.inOrder() {
		c.Send(t.pid, &limits)
	}
}

func (cl *client) spawn(c actor.Context, props *actor.Props, name string) *actor.PID {
	pid, err := c.SpawnNamed(props, name)
	if err != nil {
		supervise.Fail(err)
	}
	return pid
}

// command carries out what the user wants of one torrent.
func (cl *client) command(c actor.Context, m any) {
	if !cl.tried {
		cl.early = append(cl.early, m)
		return
	}
	switch m := m.(type) {
	case *messages.AddTorrent:
		cl.add(c, m)
	case *messages.SetMetainfo:
		if t := cl.torrents[m.Torrent.InfoHash]; t != nil {
			t.metainfo = m
			c.Send(t.pid, m)
		}
	case *messages.SetWanted:
		if t := cl.torrents[m.InfoHash]; t != nil {
			t.wanted = m
			c.Send(t.pid, m)
		}
	}
}

func (cl *client) add(c actor.Context, m *messages.AddTorrent) {
	hash := m.InfoHash
	if cl.torrents[hash] != nil {
		cl.Notify(&messages.TorrentFailed{InfoHash: hash, Err: fmt.Errorf("%s: the torrent was added already", m.Name)})
		return
	}
	props := cl.Torrent(cl.refs, m, Share{
		Memory: cl.Memory / int64(cl.hungry()+1), Limits: cl.Limits, Port: cl.addr.Port(),
	})
	cl.torrents[hash] = &entry{hash: hash, pid: cl.spawn(c, props, "torrent-"+hash.String()[:8])}
	cl.route(c, hash)
	cl.shareSoon(c)
}

// started tells a torrent that may have been restarted what has become of it.
func (cl *client) started(c actor.Context, hash metainfo.Hash) {
	t := cl.torrents[hash]
	if t == nil {
		return
	}
	limits := cl.Limits
	c.Send(t.pid, &limits)
	c.Send(t.pid, &messages.SetListenPort{Port: cl.addr.Port()})
	if t.metainfo != nil {
		c.Send(t.pid, t.metainfo)
	}
	if t.wanted != nil {
		c.Send(t.pid, t.wanted)
	}
	c.Send(t.pid, &messages.RestoreTotals{
		Downloaded: t.last.Downloaded, Uploaded: t.last.Uploaded, Wasted: t.last.Wasted, Corrupt: t.last.Corrupt,
		Complete: t.whole,
	})
}

func (cl *client) shareSoon(c actor.Context) {
	if !cl.sharing {
		cl.sharing = true
		c.Send(c.Self(), &sharing{})
	}
}

// share divides the memory evenly among the torrents that need it. That a part
// is smaller is told at once; that it is larger only when that is worth it, so
// that a thousand torrents that turn out to be complete one by one cost few
// messages.
func (cl *client) share(c actor.Context) {
	cl.sharing = false
	bytes := cl.Memory / int64(max(cl.hungry(), 1))
	for _, t := range cl.inOrder() {
		if t.hungry() && (bytes < t.memory || 8*bytes >= 9*t.memory) {
			t.memory = bytes
			c.Send(t.pid, &messages.SetMemory{Bytes: bytes})
		}
	}
}

// inOrder is all torrents, by their addresses: a map would give them in another
// order in each run.
func (cl *client) inOrder() []*entry {
	return slices.SortedFunc(maps.Values(cl.torrents), func(a, b *entry) int { return strings.Compare(a.pid.Id, b.pid.Id) })
}

// makeRoom has one of the torrents that have peers give up one that is of no use:
// each in turn, for who has the most may have use for all of them.
func (cl *client) makeRoom(c actor.Context) {
	all := slices.DeleteFunc(cl.inOrder(), func(e *entry) bool { return e.last.Peers == 0 })
	if len(all) > 0 {
		cl.turns++
		c.Send(all[cl.turns%len(all)].pid, &messages.EvictIdlePeer{})
	}
}

func (cl *client) hungry() (n int) {
	for _, t := range cl.torrents {
		if t.hungry() {
			n++
		}
	}
	return n
}

// listening tells a listener that has just bound what it does not know: the
// torrents.
func (cl *client) listening(c actor.Context, m *messages.ListenerReady) {
	cl.addr = m.Addr
	for _, t := range cl.inOrder() {
		cl.route(c, t.hash)
		c.Send(t.pid, &messages.SetListenPort{Port: m.Addr.Port()})
	}
	cl.Notify(m)
	cl.admit(c)
	c.Send(cl.listener, &messages.RefuseUnrouted{})
}

// admit carries out the commands that waited for the listener.
func (cl *client) admit(c actor.Context) {
	early := cl.early
	cl.tried, cl.early = true, nil
	for _, m := range early {
		cl.command(c, m)
	}
}

func (cl *client) route(c actor.Context, hash metainfo.Hash) {
	if cl.listener == nil {
		return
	}
	route := &messages.RouteTorrent{InfoHash: hash}
	if t := cl.torrents[hash]; t != nil {
		route.Torrent = t.pid
	}
	c.Send(cl.listener, route)
}

// counted is the progress with its restarts counted.
func (cl *client) counted(c actor.Context, hash metainfo.Hash, p messages.Progress) messages.Progress {
	if t := cl.torrents[hash]; t != nil {
		p.Restarts = cl.Restarts(t.pid.Id)
		before := t.hungry()
		t.last = p
		if p.State == messages.StateStarting {
			t.memory = 0 // it has just been restarted, or a part of it
		}
		if t.hungry() != before || t.memory == 0 {
			cl.shareSoon(c)
		}
	}
	return p
}

// ended passes the last word of a torrent on, and stops it.
func (cl *client) ended(c actor.Context, hash metainfo.Hash, last any) {
	t := cl.torrents[hash]
	if t == nil || t.ended {
		return
	}
	t.ended = true
	cl.shareSoon(c)
	cl.Notify(last)
	supervise.Stop(c, t.pid, supervise.ReasonNormal)
}

// terminated forgets a torrent. One that went without a last word was given up
// by supervision.
func (cl *client) terminated(c actor.Context, m *actor.Terminated) {
	for hash, t := range cl.torrents {
		if !t.pid.Equal(m.Who) {
			continue
		}
		delete(cl.torrents, hash)
		cl.route(c, hash)
		cl.shareSoon(c)
		if !t.ended {
			cl.Notify(&messages.TorrentFailed{InfoHash: hash, Err: fmt.Errorf("%s: %w", t.last.Name, messages.ErrGivenUp), Last: t.last})
		}
		return
	}
}
