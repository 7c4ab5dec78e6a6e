package announce

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"kouzui/wire/metainfo"
)

var eventNames = [...]string{None: "", Started: "started", Completed: "completed", Stopped: "stopped", Paused: "paused"}

// String returns the event as the query spells it; None is empty.
func (e Event) String() string { return eventNames[e] }

// URL returns the URL that announces r: base, which is http or https and keeps
// whatever query it has, and r's parameters.
func (r Request) URL(base string) (string, error) {
	u, err := parseBase(base)
	if err != nil {
		return "", err
	}
	q := query{b: []byte(u.RawQuery)}
	q.add("info_hash", string(r.InfoHash[:]))
	q.add("peer_id", string(r.PeerID[:]))
	q.add("port", strconv.Itoa(int(r.Port)))
	q.add("uploaded", strconv.FormatInt(r.Uploaded, 10))
	q.add("downloaded", strconv.FormatInt(r.Downloaded, 10))
	q.add("left", strconv.FormatInt(r.Left, 10))
	compact := "0"
	if r.Compact {
		compact = "1"
	}
	q.add("compact", compact)
	if r.Event != None {
		q.add("event", r.Event.String())
	}
	if r.NumWant >= 0 {
		q.add("numwant", strconv.Itoa(r.NumWant))
	}
	if r.Key != 0 {
		q.add("key", fmt.Sprintf("%08x", r.Key))
	}
	if r.TrackerID != "" {
		q.add("trackerid", r.TrackerID)
	}
	if r.IP.IsValid() {
		q.add("ip", r.IP.String())
	}
	if r.IPv6.IsValid() {
		q.add("ipv6", r.IPv6.String())
	}
	u.RawQuery = string(q.b)
	return u.String(), nil
}

func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("the tracker's address is not a URL")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("the tracker's address is not an http or https URL with a host")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// query builds a raw query. Package url would write a space as "+", which some
// trackers do not read as a space.
type query struct{ b []byte }

func (q *query) add(key, value string) {
	if len(q.b) > 0 {
		q.b = append(q.b, '&')
	}
	q.b = append(append(q.b, key...), '=')
	for _, c := range []byte(value) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			q.b = append(q.b, c)
		default:
			const digits = "0123456789ABCDEF"
			q.b = append(q.b, '%', digits[c>>4], digits[c&15])
		}
	}
}

// ParseRequest reads the raw query of an announce as a tracker gets it. The
// info hash, the peer ID and the port must be there and valid; what else is
// missing is unknown (NumWant -1, Left math.MaxInt64). The error is a sentence
// fit for [Reply.Failure].
func ParseRequest(rawQuery string) (Request, error) {
	v, err := splitQuery(rawQuery)
	if err != nil {
		return Request{}, err
	}
	r := Request{NumWant: -1, Left: math.MaxInt64}
	if r.InfoHash, err = hash20("info_hash", v.first("info_hash")); err != nil {
		return Request{}, err
	}
	if r.PeerID, err = hash20("peer_id", v.first("peer_id")); err != nil {
		return Request{}, err
	}
	port, err := strconv.ParseUint(v.first("port"), 10, 16)
	if err != nil || port == 0 {
		return Request{}, errors.New("port must be from 1 to 65535")
	}
	r.Port = uint16(port)
	for _, c := range []struct {
		key string
		to  *int64
	}{{"uploaded", &r.Uploaded}, {"downloaded", &r.Downloaded}, {"left", &r.Left}} {
		if s := v.first(c.key); s != "" {
			if *c.to, err = count(s); err != nil {
				return Request{}, fmt.Errorf("%s must be a number of bytes", c.key)
			}
		}
	}
	for e, name := range eventNames {
		if v.first("event") == name { // others are regular announces to us
			r.Event = Event(e)
		}
	}
	if n, err := strconv.Atoi(v.first("numwant")); err == nil && n >= 0 {
		r.NumWant = n
	}
	r.Key = key(v.first("key"))
	r.TrackerID = v.first("trackerid")
	r.Compact = v.first("compact") == "1"
	r.IP = address(v.first("ip"))
	r.IPv6 = address(v.first("ipv6"))
	return r, nil
}

type values map[string][]string

func (v values) first(key string) string {
	if l := v[key]; len(l) > 0 {
		return l[0]
	}
	return ""
}

// splitQuery takes "+" for a plus sign and not for a space: some clients do not
// escape it in an info hash, and none sends a space like that.
func splitQuery(raw string) (values, error) {
	if len(raw) > MaxQuery {
		return nil, fmt.Errorf("the query is longer than %d bytes", MaxQuery)
	}
	v := make(values)
	for pair := range strings.SplitSeq(raw, "&") {
		k, value, _ := strings.Cut(pair, "=")
		k, err1 := url.PathUnescape(k)
		value, err2 := url.PathUnescape(value)
		if err := errors.Join(err1, err2); err != nil {
			return nil, errors.New("the query has a malformed percent sign")
		}
		v[k] = append(v[k], value)
	}
	return v, nil
}

func hash20(key, s string) (h [20]byte, err error) {
	if len(s) != len(h) {
		return h, fmt.Errorf("%s must be %d bytes, not %d", key, len(h), len(s))
	}
	copy(h[:], s)
	return h, nil
}

// count reads a number of bytes; one beyond 63 bits, which some clients send
// for unknown, is math.MaxInt64.
func count(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, err
	}
	return int64(min(n, math.MaxInt64)), nil
}

// key reads a key as most clients send it, in hexadecimal; any other text
// becomes a number that is the same each time.
func key(s string) uint32 {
	if n, err := strconv.ParseUint(s, 16, 32); err == nil {
		return uint32(n)
	}
	return crc32.ChecksumIEEE([]byte(s))
}

// address reads an address with or without a port. A host name, which BEP 3
// allows, is not resolved and gives the zero Addr.
func address(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// ScrapeURL returns the URL that scrapes the given torrents at the tracker
// whose announce URL is base. By BEP 48's rule a tracker can be scraped only if
// the last part of its path begins with "announce".
func ScrapeURL(base string, hashes ...metainfo.Hash) (string, error) {
	u, err := parseBase(base)
	if err != nil {
		return "", err
	}
	path := u.EscapedPath()
	last := strings.LastIndexByte(path, '/') + 1
	rest, ok := strings.CutPrefix(path[last:], "announce")
	if !ok {
		return "", errors.New("this tracker has no scrape address")
	}
	u.RawPath = path[:last] + "scrape" + rest
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return "", errors.New("the tracker's address is not a URL")
	}
	q := query{b: []byte(u.RawQuery)}
	for _, h := range hashes {
		q.add("info_hash", string(h[:]))
	}
	u.RawQuery = string(q.b)
	return u.String(), nil
}

// ParseScrapeRequest reads the raw query of a scrape: the torrents asked for,
// none meaning all. The error is a sentence fit for [AppendFailure].
func ParseScrapeRequest(rawQuery string) ([]metainfo.Hash, error) {
	v, err := splitQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	var hashes []metainfo.Hash
	for _, s := range v["info_hash"] {
		h, err := hash20("info_hash", s)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}
