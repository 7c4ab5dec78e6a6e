package world

import (
	"net/netip"
	"time"

	"kouzui/wire/announce"
)

// Announcer talks to trackers over HTTP. Those of UDP (BEP 15) are asked by the
// actors; which they may ask is decided here, for both.
type Announcer interface {
	// Announce sends r to the tracker at url. Within timeout, done is called
	// exactly once, with the reply or with an *AnnounceError; after cancel it is
	// not called. from says how far url is trusted.
	Announce(url string, from Origin, r announce.Request, timeout time.Duration, done func(announce.Reply, error)) (cancel func())
	// Permit says after how long, which is at most patience, the UDP tracker at
	// url may be asked, whose name has led to addr; or, by an *AnnounceError, why
	// it may not.
	Permit(url string, from Origin, addr netip.Addr, patience time.Duration) (wait time.Duration, err error)
	// LeaveOut takes out of a reply the peers that a tracker at an address cannot
	// know of.
	LeaveOut(r *announce.Reply, tracker netip.Addr)
}

// Origin is who has named a URL. It decides which addresses the URL may lead
// to.
type Origin uint8

// Origins of URLs.
const (
	FromTorrent Origin = iota // a stranger, in a .torrent
	FromUser
)

// Phase is the step of an announce that failed.
type Phase string

// The phases of an announce, in their order.
const (
	PhaseURL     Phase = "url"
	PhaseDNS     Phase = "dns"
	PhaseConnect Phase = "connect"
	PhaseTLS     Phase = "tls"
	PhaseSend    Phase = "send"
	PhaseStatus  Phase = "http status"
	PhaseRead    Phase = "read"
	PhaseBencode Phase = "bencode"
	// PhaseFailure: the tracker answered with a failure reason.
	PhaseFailure Phase = "failure reason"
)

// AnnounceError says at which step an announce failed, in one line.
type AnnounceError struct {
	Phase Phase
	Err   error
}

func (e *AnnounceError) Error() string { return string(e.Phase) + ": " + e.Err.Error() }

func (e *AnnounceError) Unwrap() error { return e.Err }
