// Package magnet reads and writes magnet links (BEP 9, with the chosen files of
// BEP 53): the info hash of a torrent, and where peers that have it may be
// found.
//
// Use: [Parse] reads a link, [Of] is the link of a torrent, [Link.String]
// writes one.
//
// A link is the word of a stranger. What names the torrent has to be right;
// whatever else is wrong in a link is left out, with a sentence in
// Link.Warnings.
//
// Limits: only version 1 of torrents (urn:btih), and of a link to a hybrid that
// hash; the Max constants.
package magnet

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"kouzui/wire/metainfo"
)

// Limits of what Parse accepts.
const (
	MaxLink  = 64 << 10 // bytes of a link
	MaxPeers = 100      // further ones are left out with a warning
	MaxName  = 255      // bytes of a name; longer ones are cut
)

// Link is what a magnet link says.
type Link struct {
	InfoHash metainfo.Hash
	Name     string     // to be shown, free of control characters; "": the link has none
	Trackers [][]string // each a tier of its own, as metainfo.TrackerURL returns them
	Peers    []Peer     // x.pe
	WebSeeds []string   // ws (BEP 19), as metainfo.WebSeedURL returns them
	Files    []Range    // so: the chosen files, in order, apart from each other; nil: all
	Warnings []string   // what was left out, one sentence each
}

// Peer is where a peer may listen: an IP address or a name, and a port.
type Peer struct {
	Host string
	Port uint16
}

func (p Peer) String() string {
	if addr, is := p.Addr(); is {
		return addr.String()
	}
	return fmt.Sprintf("%s:%d", p.Host, p.Port)
}

// Addr is the address of a peer whose host is not a name.
func (p Peer) Addr() (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(p.Host)
	return netip.AddrPortFrom(ip.Unmap(), p.Port), err == nil
}

// Range is files by their index in the torrent, from First to Last.
type Range struct{ First, Last int }

func (r Range) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Error is why Parse refuses a link: a clause such as "the link has no hash",
// free of control characters.
type Error struct{ Msg string }

func (e *Error) Error() string { return e.Msg }

func refuse(format string, args ...any) *Error { return &Error{fmt.Sprintf(format, args...)} }

// scheme is what every link begins with, in either case.
const scheme = "magnet:"

// Is tells whether text is meant to be a magnet link.
func Is(text string) bool {
	return len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme)
}

// Of is the link of a torrent.
func Of(t *metainfo.Torrent) Link {
	l := Link{InfoHash: t.InfoHash, Name: t.Name, WebSeeds: t.WebSeeds}
	for _, tracker := range slices.Concat(t.Announce...) {
		l.Trackers = append(l.Trackers, []string{tracker})
	}
	return l
}

// String writes the link in one form only, which every client reads.
func (l Link) String() string {
	var b strings.Builder
	b.WriteString(scheme + "?xt=urn:btih:" + l.InfoHash.String())
	add := func(key, value string) { b.WriteString("&" + key + "=" + escape(value)) }
	if l.Name != "" {
		add("dn", l.Name)
	}
	for _, tracker := range slices.Concat(l.Trackers...) {
		add("tr", tracker)
	}
	for _, seed := range l.WebSeeds {
		add("ws", seed)
	}
	for _, p := range l.Peers {
		add("x.pe", p.String())
	}
	if len(l.Files) > 0 {
		b.WriteString("&so=" + l.Chosen())
	}
	return b.String()
}

// Chosen is Files as they stand in a link.
func (l Link) Chosen() string {
	files := make([]string, len(l.Files))
	for i, r := range l.Files {
		files[i] = r.String()
	}
	return strings.Join(files, ",")
}

// escape escapes all that has a meaning in a link, or that a program which
// passes a link on may take for its end.
func escape(value string) string {
	var b strings.Builder
	for i := range len(value) {
		switch c := value[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~:/", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
