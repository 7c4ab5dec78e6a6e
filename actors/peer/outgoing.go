package peer

import (
	"kouzui/actors/runtime/rate"
	"kouzui/messages"
)

// What a connection tells the other actors.

// flush turns the effects of the session into messages, after it has sent as
// many requests and blocks as the limiter's tokens allow.
func (k *connection) flush() {
	s := k.session
	if s == nil {
		return
	}
	if s.out.news {
		k.tellNews()
	}
	if s.torrent == nil {
		k.flushEarly()
		return
	}
	k.tokens.spend(messages.Down, s.ask(k.tokens.allowance(messages.Down), k.now))
	k.tokens.spend(messages.Up, s.serve(k.tokens.allowance(messages.Up)))
	if pieces := s.uploads.inquire(); pieces != nil {
		k.out.Send(k.to.Store, &messages.QueryServable{Link: k.linkID, Pieces: pieces, ReplyTo: k.to.self})
	}
	k.wantTokens(messages.Down, s.requests.waiting)
	if !s.uploads.asking && !s.uploads.full() {
		k.wantTokens(messages.Up, s.uploads.queue)
	}
	if len(s.out.frames) > 0 {
		s.spoke = k.now
	}
	if len(s.out.stored) > 0 {
		k.proveUseful()
		k.out.Send(k.to.Store, &messages.StoreBlocks{Key: k.Key, Blocks: s.out.stored})
	}
	k.tellScheduler()
	if k.dormant && !s.dormant() {
		k.dormant = false
		k.tickAfter(tickBusy)
	}
	changed := s.out.flags || s.out.asked
	s.out = effects{frames: s.out.frames}
	if changed {
		k.report()
	}
}

// flushEarly leaves in the effects of a session without pieces only what is to
// be sent: there is no scheduler yet, and no payload.
func (k *connection) flushEarly() {
	s := k.session
	if len(s.out.frames) > 0 {
		s.spoke = k.now
	}
	s.out = effects{frames: s.out.frames}
}

func (k *connection) wantTokens(d messages.Direction, blocks []messages.Block) {
	if bytes := k.tokens.want(d, blocks); bytes > 0 {
		k.out.Send(k.to.Limiter, &messages.TokensWanted{From: k.to.self, Direction: d, Bytes: bytes})
	}
}

func (k *connection) tellScheduler() {
	s, out, scheduler := k.session, &k.session.out, k.to.Scheduler
	if len(out.lost) > 0 { // before what has come after it
		k.out.Send(scheduler, &messages.PeerDontHave{Key: k.Key, Pieces: out.lost})
	}
	if out.bitfield != nil {
		k.out.Send(scheduler, &messages.PeerBitfield{Key: k.Key, Have: out.bitfield})
	}
	if len(out.haves) > 0 {
		k.out.Send(scheduler, &messages.PeerHave{Key: k.Key, Pieces: out.haves})
	}
	window := s.window.requests()
	if len(out.arrived) > 0 {
		k.out.Send(scheduler, &messages.BlocksArrived{Key: k.Key, Blocks: out.arrived, Window: window, At: k.now})
	}
	if len(out.allowed) > 0 {
		k.out.Send(scheduler, &messages.PeerAllowed{Key: k.Key, Pieces: out.allowed, Window: window})
	}
	if s.fast && out.choking { // before what is rejected: a peer that chokes us is asked for no more
		k.out.Send(scheduler, &messages.PeerChoking{Key: k.Key, Choking: s.flags.PeerChoking, Window: window, Answers: true})
	}
	if len(out.dropped) > 0 || out.snubbed {
		k.out.Send(scheduler, &messages.RequestsDropped{Key: k.Key, Blocks: out.dropped, Window: window, Snubbed: out.snubbed})
	}
	if s.fast {
		return
	}
	if out.voided && !s.flags.PeerChoking {
		k.out.Send(scheduler, &messages.PeerChoking{Key: k.Key, Choking: true, Window: window})
	}
	if out.choking {
		k.out.Send(scheduler, &messages.PeerChoking{Key: k.Key, Choking: s.flags.PeerChoking, Window: window})
	}
}

func (k *connection) report() {
	s := k.session
	if s == nil || s.torrent == nil {
		return
	}
	m := &messages.PeerRates{
		Key: k.Key, Peer: k.to.self, Host: messages.HostOf(k.remote.Addr()), At: k.now,
		Down: s.down.Over(k.now, rate.MaxSpan), Up: s.up.Over(k.now, rate.MaxSpan),
		DownNow: s.down.Over(k.now, recent), UpNow: s.up.Over(k.now, recent),
		Taking:    s.up.Over(k.now, recent) > 0 || s.uploads.handed == 0 && len(s.uploads.queue) > 0,
		DownTotal: s.down.Total(), UpTotal: s.up.Total(), WastedTotal: s.wasted, Asked: s.offers.asked,
		Flags: s.flags, Window: s.window.requests(), InFlight: s.requests.outstanding(),
	}
	k.out.Send(k.to.Choker, m)
	k.out.Send(k.to.Scheduler, m)
}
