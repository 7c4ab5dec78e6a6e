package magnet

import (
	"encoding/base32"
	"encoding/hex"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kouzui/wire/metainfo"
)

// The names of torrents in a link.
const (
	btih = "urn:btih:" // the info hash of version 1
	btmh = "urn:btmh:" // the multihash of version 2 (BEP 52)
	btpk = "urn:btpk:" // a key under which a hash is published (BEP 46)
	// sha256 begins a multihash: SHA-256, of 32 bytes.
	sha256 = "1220"
)

// alphanumeric is what a hash may consist of.
const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const (
	shown   = 60  // bytes of the link that a sentence quotes
	maxHost = 253 // bytes of a name of the DNS
)

// Parse reads a link. Keys and the kinds of hashes may be in either case, and
// keys numbered (tr.1). Its error is always an *Error.
func Parse(text string) (Link, error) {
	text = strings.TrimSpace(text)
	if len(text) > MaxLink {
		return Link{}, refuse("the link has %d bytes, and %d are the most that are taken", len(text), MaxLink)
	}
	if !Is(text) {
		return Link{}, refuse("a magnet link begins with magnet:?")
	}
	query, isQuery := strings.CutPrefix(text[len(scheme):], "?")
	if !isQuery {
		return Link{}, refuse("a magnet link begins with magnet:?")
	}
	var p parser
	for pair := range strings.SplitSeq(query, "&") {
		if err := p.take(pair); err != nil {
			return Link{}, err
		}
	}
	return p.finish()
}

// parser is what has been read of a link.
type parser struct {
	link     Link
	named    bool // there is an info hash
	v2       error
	v2Named  bool // there is a whole hash of version 2
	other    string
	trackers []string
	webSeeds []string
	files    []Range
	tooMany  bool // peers
}

// take reads a key and its value.
func (p *parser) take(pair string) error {
	key, value, _ := strings.Cut(pair, "=")
	key = strings.ToLower(strings.TrimPrefix(key, "amp;")) // of a link that was copied out of HTML
	if base, number, is := strings.Cut(key, "."); is && number != "" && strings.Trim(number, "0123456789") == "" {
		key = base
	}
	decoded, err := url.QueryUnescape(value)
	escaped := err == nil
	switch {
	case key == "xt" && !escaped:
		return refuse("%q in the link is not escaped as it has to be", metainfo.Clean(value, shown))
	case key == "xt":
		return p.name(decoded)
	case !escaped:
		p.warn("%q is left out: it is not escaped as it has to be.", pair)
		return nil
	}
	switch key {
	case "dn":
		if p.link.Name == "" {
			p.link.Name = strings.TrimSpace(metainfo.Clean(decoded, MaxName))
		}
	case "tr":
		p.trackers = append(p.trackers, decoded)
	case "ws":
		p.webSeeds = append(p.webSeeds, decoded)
	case "x.pe":
		p.peer(decoded)
	case "so":
		p.choose(decoded)
	}
	return nil
}

// warn notes what is left out. The quoted part comes from the link.
func (p *parser) warn(format, quoted string) {
	const most = 20
	if len(p.link.Warnings) < most {
		p.link.Warnings = append(p.link.Warnings, strings.Replace(format, "%q", strconv.Quote(metainfo.Clean(quoted, shown)), 1))
	}
}

// name reads an xt, which may name the torrent.
func (p *parser) name(urn string) error {
	kind := strings.ToLower(urn[:min(len(urn), len(btih))])
	switch kind {
	case btih:
		hash, err := parseHash(urn[len(btih):])
		switch {
		case err != nil:
			return err
		case p.named && p.link.InfoHash != hash:
			return refuse("the link names two torrents: %v and %v", p.link.InfoHash, hash)
		}
		p.link.InfoHash, p.named = hash, true
	case btmh:
		if err := checkMultihash(urn[len(btmh):]); err != nil {
			p.v2 = err
		} else {
			p.v2Named = true
		}
	case btpk:
		p.v2 = refuse("the link names a torrent that changes (BEP 46), and those are not supported")
	default:
		p.other = urn
	}
	return nil
}

// parseHash reads 40 hexadecimal digits, or 32 of base32.
func parseHash(text string) (hash metainfo.Hash, err error) {
	switch len(text) {
	case hex.EncodedLen(len(hash)):
		_, err = hex.Decode(hash[:], []byte(text))
	case base32.StdEncoding.EncodedLen(len(hash)):
		// A decoder leaves out line feeds, so their place would be left zero.
		if strings.ContainsAny(text, "\r\n") {
			err = base32.CorruptInputError(0)
		} else {
			_, err = base32.StdEncoding.Decode(hash[:], []byte(strings.ToUpper(text)))
		}
	default:
		if strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(alphanumeric, r) }) {
			return hash, refuse("%q in the link is not a hash", metainfo.Clean(text, shown))
		}
		digits := "digits"
		if len(text) == 1 {
			digits = "digit"
		}
		return hash, refuse("the hash in the link has %d %s: a hash has 40 of hexadecimal or 32 of base32", len(text), digits)
	}
	if err != nil {
		return hash, refuse("%q in the link is not a hash", metainfo.Clean(text, shown))
	}
	return hash, nil
}

func checkMultihash(text string) error {
	digest, is := strings.CutPrefix(text, sha256)
	if b, err := hex.DecodeString(digest); err != nil || !is || len(b) != 32 {
		return refuse("%q in the link is not a hash of version 2: that is 1220 and 64 hexadecimal digits", metainfo.Clean(text, shown))
	}
	return nil
}

// peer reads an x.pe.
func (p *parser) peer(text string) {
	peer, ok := parsePeer(text)
	switch {
	case !ok:
		p.warn("The peer %q is left out: it is not HOST:PORT.", text)
	case slices.Contains(p.link.Peers, peer):
	case len(p.link.Peers) == MaxPeers:
		if !p.tooMany {
			p.warn("Peers beyond the first "+strconv.Itoa(MaxPeers)+" are left out.", "")
		}
		p.tooMany = true
	default:
		p.link.Peers = append(p.link.Peers, peer)
	}
}

func parsePeer(text string) (Peer, bool) {
	if addr, err := netip.ParseAddrPort(text); err == nil {
		return Peer{addr.Addr().Unmap().String(), addr.Port()}, addr.Port() != 0 && addr.Addr().Zone() == ""
	}
	host, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Peer{}, false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}
	// What ends in a number is no name, but an address in an odd form.
	last := host[strings.LastIndexByte(host, '.')+1:]
	is := last != "" && len(host) <= maxHost && !strings.ContainsFunc(host, odd) && strings.Trim(last, "0123456789") != ""
	return Peer{host, uint16(n)}, is
}

// choose reads an so.
func (p *parser) choose(text string) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, bad := strconv.ParseUint(first, 10, 31)
		b, worse := strconv.ParseUint(last, 10, 31)
		if bad != nil || worse != nil || a > b || b >= metainfo.MaxFiles {
			if part != "" {
				p.warn("The files %q are left out: they are no files by number.", part)
			}
			continue
		}
		p.files = append(p.files, Range{int(a), int(b)})
	}
}

// finish checks that there is a hash, and brings the rest into order.
func (p *parser) finish() (Link, error) {
	switch {
	case p.named:
	case p.v2Named:
		return Link{}, refuse("the link names a torrent of version 2 only (BEP 52), which is not supported yet; look for a version 1 or a hybrid torrent of the same content")
	case p.v2 != nil:
		return Link{}, p.v2
	case p.other != "":
		return Link{}, refuse("the link names no torrent: it has no xt=urn:btih, but %q", metainfo.Clean(p.other, shown))
	default:
		return Link{}, refuse("the link names no torrent: it has no xt=urn:btih")
	}
	tiers, warnings := metainfo.LinkTiers(p.trackers)
	p.link.Trackers = tiers
	seeds, more := metainfo.LinkWebSeeds(p.webSeeds)
	p.link.WebSeeds, warnings = seeds, append(warnings, more...)
	p.link.Files = unite(p.files)
	p.link.Warnings = append(p.link.Warnings, warnings...)
	return p.link, nil
}

// unite brings ranges into order, and joins those that touch or overlap.
func unite(files []Range) (united []Range) {
	slices.SortFunc(files, func(a, b Range) int { return a.First - b.First })
	for _, r := range files {
		if n := len(united); n > 0 && r.First <= united[n-1].Last+1 {
			united[n-1].Last = max(united[n-1].Last, r.Last)
		} else {
			united = append(united, r)
		}
	}
	return united
}
