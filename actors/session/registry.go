package session

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"kouzui/messages"
	"kouzui/wire/metainfo"
)

// Recollection is what a new session is told of those before.
type Recollection struct {
	Limits   messages.SetLimits
	Addr     netip.AddrPort // where the listener listened last
	Torrents []Recalled
}

// Recalled is a torrent that was added and has not ended.
type Recalled struct {
	Add *messages.AddTorrent
	// What the user told since it was added; nil: nothing.
	Metainfo  *messages.SetMetainfo
	Wanted    *messages.SetWanted
	Stop      bool              // the user wants it to end
	Completed bool              // the user has been told that it is complete
	Reopens   bool              // and is to be told again: more is wanted, or the data was changed
	Whole     bool              // all its pieces were there once in this run
	Last      messages.Progress // that the user was told
}

// Want records which pieces are wanted from now on. If some pieces of the
// torrent are missing, the next completion is news.
func (r *Recalled) Want(m *messages.SetWanted) {
	r.Wanted = m
	r.Reopens = r.Reopens || r.Completed && r.Last.HavePieces < r.Last.Pieces
}

// registry is the core: the torrents that the user wants, and what is known of
// the actors that serve them.
type registry struct {
	refs     messages.Refs
	memory   int64
	restarts func(path string) int

	limits   messages.SetLimits
	addr     netip.AddrPort      // where the listener listens
	nodes    [2][]netip.AddrPort // of the last reports of the DHT, by family
	known    [2]int              // nodes in its tables, by family
	election election            // on our address
	mapping  mapping             // of our port
	tried    bool                // the listener has bound its socket, or failed to
	unrouted bool                // the listener waits for RefuseUnrouted
	host     string              // where we listen, or would; empty: everywhere
	sockets  [2]netip.AddrPort   // where the UDP sockets were bound last
	surveyed bool                // torrents has answered with TorrentsListed
	runs     map[metainfo.Hash]*run
	turn     int  // counts the torrents that were asked to evict a peer
	dividing bool // divide is in the mailbox

	out     messages.Outbox
	effects effects
}

// effects is what the shell has to do, beside sending.
type effects struct {
	events []any // for the keeper; an outcome among them
	divide bool
}

// outcome is the end of a run.
type outcome struct {
	run  uint64
	word any
}

// run is a torrent that the user wants.
type run struct {
	Recalled
	ordered bool    // StartTorrent has been sent
	pid     address // nil: neither TorrentStarted nor TorrentsListed has told
	// memory is the last SetMemory in bytes; 0: there was none.
	memory int64
}

func newRegistry(refs messages.Refs, memory int64, host string, restarts func(string) int) *registry {
	return &registry{
		refs: refs, memory: memory, host: host, restarts: restarts, runs: map[metainfo.Hash]*run{},
		tried: refs.Listener == nil,
	}
}

func (r *registry) take() effects {
	done := r.effects
	r.effects = effects{}
	return done
}

func (r *registry) notify(event any) { r.effects.events = append(r.effects.events, event) }

func (r *registry) recall(known Recollection) {
	r.limits, r.addr = known.Limits, known.Addr
	for _, t := range known.Torrents {
		r.runs[t.Add.InfoHash] = &run{Recalled: t}
	}
}

// ask asks the siblings, which were there before this session, what there is.
func (r *registry) ask() {
	r.limit(r.limits)
	r.listen()
	r.bindSockets()
	r.mapPort()
	r.out.Send(r.refs.Torrents, &messages.QueryTorrents{})
}

// inOrder is all runs in the order in which they were added.
func (r *registry) inOrder() []*run {
	return slices.SortedFunc(maps.Values(r.runs), func(a, b *run) int { return cmp.Compare(a.Add.Run, b.Add.Run) })
}

// add enters a torrent, unless recall has brought it already.
func (r *registry) add(m *messages.AddTorrent) {
	if r.runs[m.InfoHash] == nil {
		r.runs[m.InfoHash] = &run{Recalled: Recalled{Add: m}}
		r.order()
		r.mapPort()
	}
}

// order has the torrents started that do not run yet. It waits until torrents
// has listed those that run, and until the port is known that torrents tell
// their trackers.
func (r *registry) order() {
	if !r.tried || !r.surveyed {
		return
	}
	for _, t := range r.inOrder() {
		if t.ordered {
			continue
		}
		t.ordered = true
		share := messages.Share{Memory: r.memory / int64(r.hungry()), Limits: r.limits, Port: r.port()}
		r.out.Send(r.refs.Torrents, &messages.StartTorrent{Add: t.Add, Share: share})
	}
}

func (r *registry) setMetainfo(m *messages.SetMetainfo) {
	if t := r.runs[m.Torrent.InfoHash]; t != nil {
		t.Metainfo = m
		t.tell(&r.out, m)
	}
}

// setWanted may make a complete torrent incomplete. The torrent tells when it
// is complete again.
func (r *registry) setWanted(m *messages.SetWanted) {
	if t := r.runs[m.InfoHash]; t != nil {
		t.Want(m)
		t.tell(&r.out, m)
	}
}

func (r *registry) tellStatus(m *messages.QueryStatus) {
	if t := r.runs[m.InfoHash]; t != nil {
		m.Reply(t.Last)
	}
}

// pass hands a question to the torrent.
func (r *registry) pass(hash metainfo.Hash, question any) {
	if t := r.runs[hash]; t != nil {
		t.tell(&r.out, question)
	}
}

// tellTorrents sends to all torrents that run. meet tells those that start
// later.
func (r *registry) tellTorrents(m any) {
	for _, t := range r.inOrder() {
		t.tell(&r.out, m)
	}
}

// tell sends to the torrent, if its address is known. Otherwise meet sends the
// same once the address is known.
func (t *run) tell(out *messages.Outbox, m any) {
	if t.pid != nil {
		out.Send(t.pid, m)
	}
}

// stop has a torrent end. A torrent that has not been started has ended at
// once.
func (r *registry) stop(m *messages.StopTorrent) {
	t := r.runs[m.InfoHash]
	switch {
	case t == nil:
	case t.pid != nil:
		t.Stop = true
		r.out.Send(t.pid, m)
	case t.ordered || !r.surveyed:
		t.Stop = true
	default:
		r.ended(t.Add.Run, m.InfoHash, &messages.TorrentDone{InfoHash: m.InfoHash})
	}
}

// listed compares what there is with what the user wants.
func (r *registry) listed(m *messages.TorrentsListed) {
	r.surveyed = true
	for _, t := range r.runs {
		t.ordered, t.pid = false, nil
	}
	for _, there := range m.Torrents {
		t := r.runs[there.InfoHash]
		switch {
		case t == nil || t.Add.Run != there.Run:
			r.out.Send(r.refs.Torrents, &messages.ForgetTorrent{Run: there.Run, InfoHash: there.InfoHash})
		case there.Outcome != nil:
			r.ended(there.Run, there.InfoHash, there.Outcome)
		default:
			t.ordered, t.pid = true, there.Torrent
			r.meet(t)
		}
	}
	for _, t := range r.inOrder() {
		if t.Stop && !t.ordered {
			r.ended(t.Add.Run, t.Add.InfoHash, &messages.TorrentDone{InfoHash: t.Add.InfoHash})
		}
	}
	r.order()
	r.refuseUnrouted()
}

func (r *registry) started(m *messages.TorrentStarted) {
	t := r.runs[m.InfoHash]
	if t == nil { // its run is over: the answer leads to ForgetTorrent
		r.out.Send(r.refs.Torrents, &messages.QueryTorrents{})
		return
	}
	t.pid = m.Torrent
	r.meet(t)
	r.refuseUnrouted()
}

// meet tells a torrent all that may have changed since its configuration was
// made. The torrent has just started, or ran while there was no session.
func (r *registry) meet(t *run) {
	limits := r.limits
	r.route(t)
	r.out.Send(t.pid, &limits)
	r.out.Send(t.pid, &messages.SetListenPort{Port: r.port()})
	for _, dht := range r.refs.DHT {
		if dht != nil {
			r.out.Send(t.pid, &messages.DHTStarted{DHT: dht})
		}
	}
	if nodes := r.nodesKnown(); nodes.Count > 0 {
		r.out.Send(t.pid, nodes)
	}
	r.tellAddresses(t.pid)
	if t.Metainfo != nil {
		r.out.Send(t.pid, t.Metainfo)
	}
	if t.Wanted != nil {
		r.out.Send(t.pid, t.Wanted)
	}
	r.out.Send(t.pid, &messages.RestoreTotals{
		Downloaded: t.Last.Downloaded, Uploaded: t.Last.Uploaded, Wasted: t.Last.Wasted, Corrupt: t.Last.Corrupt,
		Complete: t.Whole,
	})
	if t.Stop {
		r.out.Send(t.pid, &messages.StopTorrent{InfoHash: t.Add.InfoHash})
	}
	t.memory = 0
	r.divideSoon()
}

// ended passes on how a run ended, and forgets it.
func (r *registry) ended(number uint64, hash metainfo.Hash, word any) {
	t := r.runs[hash]
	if t != nil && t.Add.Run == number {
		switch m := word.(type) {
		case *messages.TorrentDone:
			done := *m
			done.Last = r.counted(t, m.Last)
			if m.Complete {
				r.firstCompletion(t)
			}
			word = &done
		case *messages.TorrentFailed:
			failed := *m
			failed.Last = r.counted(t, m.Last)
			word = &failed
		}
		r.notify(&outcome{number, word})
		delete(r.runs, hash)
		r.unroute(hash)
		r.refuseUnrouted()
		r.divideSoon()
		r.mapPort()
	}
	r.out.Send(r.refs.Torrents, &messages.ForgetTorrent{Run: number, InfoHash: hash})
}
