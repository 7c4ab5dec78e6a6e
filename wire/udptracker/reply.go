package udptracker

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// ErrNotServed: the answer to an announce ends after its head, which is how
// opentracker refuses a torrent that is not on its list.
var ErrNotServed = errors.New("the tracker does not serve this torrent")

// ParseConnected reads the body of the answer to a connect.
func ParseConnected(body []byte) (connection uint64, err error) {
	if len(body) < 8 {
		return 0, errors.New("the tracker's answer to a connect is too short")
	}
	return binary.BigEndian.Uint64(body), nil
}

// ParseReply reads the body of the answer to an announce, with peers of IPv4,
// or of IPv6 if six.
func ParseReply(body []byte, six bool) (announce.Reply, error) {
	switch {
	case len(body) == 0:
		return announce.Reply{}, ErrNotServed
	case len(body) < replyLength-answerHead:
		return announce.Reply{}, errors.New("the tracker's answer is too short")
	}
	r := announce.Reply{
		Interval: announce.Seconds(int64(int32(binary.BigEndian.Uint32(body)))),
		Leechers: count(binary.BigEndian.Uint32(body[4:])),
		Seeders:  count(binary.BigEndian.Uint32(body[8:])),
	}
	if r.Interval == 0 {
		r.Interval = announce.DefaultInterval
	}
	r.AddCompact(body[12:], six)
	return r, nil
}

// count reads a number of peers; one beyond 31 bits is not said.
func count(n uint32) int {
	if n > math.MaxInt32 {
		return -1
	}
	return int(n)
}

// ParseScrape reads the body of the answer to a scrape of n torrents: what it
// says of each, in the order of the request. Of those that it leaves out,
// nothing is known.
func ParseScrape(body []byte, n int) []announce.Stats {
	all := make([]announce.Stats, min(n, MaxScrape))
	for i := range all {
		if len(body) < statsLength {
			all[i] = announce.Stats{Seeders: -1, Leechers: -1, Completed: -1}
			continue
		}
		all[i] = announce.Stats{
			Seeders:   count(binary.BigEndian.Uint32(body)),
			Completed: count(binary.BigEndian.Uint32(body[4:])),
			Leechers:  count(binary.BigEndian.Uint32(body[8:])),
		}
		body = body[statsLength:]
	}
	return all
}

// ParseFailed reads the body of a refusal: the reason, fit to show.
func ParseFailed(body []byte) string {
	if reason := metainfo.Clean(string(body[:min(len(body), announce.MaxText)]), announce.MaxText); reason != "" {
		return reason
	}
	return "no reason given"
}

// AppendConnected appends the answer to a connect.
func AppendConnected(dst []byte, transaction uint32, connection uint64) []byte {
	return binary.BigEndian.AppendUint64(appendHead(dst, Connect, transaction), connection)
}

// AppendReply appends the answer to an announce, with those peers of r that are
// of IPv6 if six, and of IPv4 otherwise, as many as MaxAnswer has room for.
func AppendReply(dst []byte, transaction uint32, r announce.Reply, six bool) []byte {
	start := len(dst)
	dst = appendHead(dst, Announce, transaction)
	for _, n := range []int{int(r.Interval / time.Second), r.Leechers, r.Seeders} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(max(n, 0)))
	}
	size := compact4
	if six {
		size = compact6
	}
	for _, p := range r.Peers {
		addr := p.Addr.Addr().Unmap()
		if len(dst)-start+size > MaxAnswer {
			break
		}
		if addr.IsValid() && addr.Is6() == six {
			dst = binary.BigEndian.AppendUint16(append(dst, addr.AsSlice()...), p.Addr.Port())
		}
	}
	return dst
}

// AppendScraped appends the answer to a scrape: what is known of the torrents,
// in the order of the request.
func AppendScraped(dst []byte, transaction uint32, all []announce.Stats) []byte {
	dst = appendHead(dst, Scrape, transaction)
	for _, s := range all {
		for _, n := range []int{s.Seeders, s.Completed, s.Leechers} {
			dst = binary.BigEndian.AppendUint32(dst, uint32(max(n, 0)))
		}
	}
	return dst
}

// AppendFailed appends a refusal of a request.
func AppendFailed(dst []byte, transaction uint32, reason string) []byte {
	return append(appendHead(dst, Failed, transaction), reason...)
}
