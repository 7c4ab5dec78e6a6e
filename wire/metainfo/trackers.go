package metainfo

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/anacrolix/torrent/bencode"
	"golang.org/x/net/idna"

	"kouzui/wire/metainfo/dict"
)

// anotherURL is what separates the URLs of a list: a comma and a space, or
// either before a scheme. A comma alone may be part of a URL.
var anotherURL = regexp.MustCompile(`,\s|[\s,]+[A-Za-z][A-Za-z0-9+.-]*://`)

// SplitTrackers splits a list of URLs that are separated by commas or white
// space.
func SplitTrackers(list string) []string {
	var urls []string
	add := func(s string) {
		if s = strings.Trim(s, ", \t\r\n\v\f\x00"); s != "" {
			urls = append(urls, s)
		}
	}
	for {
		at := anotherURL.FindStringIndex(list)
		if at == nil {
			add(list)
			return urls
		}
		if at[0] == 0 { // nothing but separators before the first
			list = strings.TrimLeft(list, ", \t\r\n\v\f")
			continue
		}
		add(list[:at[0]])
		list = strings.TrimLeft(list[at[0]:], ", \t\r\n\v\f")
	}
}

// TrackerURL returns the URL of a tracker in the form in which it can be asked
// and shown: without white space around it, what is no letter of a URL escaped,
// scheme and host in lower case, and the host in punycode if it is not ASCII,
// as names of mixed scripts look like others. The error is why s is not the URL
// of a tracker, in words that follow a name or a colon.
func TrackerURL(s string) (string, error) { return serverURL(s, TrackerSchemes()) }

// serverURL is TrackerURL for servers with one of these schemes.
func serverURL(s string, schemes []string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > maxURL {
		return "", errors.New("the address is too long")
	}
	u, err := url.Parse(escapeOdd(s))
	if err != nil {
		return "", errors.New("it is not a URL")
	}
	if !slices.Contains(schemes, u.Scheme) {
		return "", errors.New("its protocol is not supported")
	}
	host := u.Hostname()
	if decoded, err := url.PathUnescape(host); err == nil {
		host = decoded
	}
	ascii := !strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case host == "":
		return "", errors.New("it names no host")
	case !ascii:
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", errors.New("its host is not a name")
		}
	case strings.ContainsAny(host, "\"<>\\^`{|},;!$&'()*+=~/?#@ "):
		return "", errors.New("its host is not a name")
	default:
		host = strings.ToLower(host)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", errors.New("its port is not a number from 1 to 65535")
		}
		host += ":" + port
	} else if u.Scheme == "udp" {
		return "", errors.New("it names no port, and UDP trackers have no usual one")
	}
	if u.Host == host && u.Scheme == s[:min(len(s), len(u.Scheme))] && !strings.ContainsFunc(s, odd) {
		return s, nil // to the byte as it came: trackers compare keys
	}
	_, rest, _ := strings.Cut(escapeOdd(s), "://")
	if at := strings.IndexAny(rest, "/?#"); at >= 0 {
		rest = rest[at:]
	} else {
		rest = ""
	}
	if u.User != nil {
		host = u.User.String() + "@" + host
	}
	return u.Scheme + "://" + host + rest, nil
}

// odd tells whether r cannot stand in a URL as it is.
func odd(r rune) bool {
	return r <= ' ' || r == 0x7f || r >= utf8.RuneSelf || strings.ContainsRune("\"<>\\^`{|}", r)
}

// escapeOdd escapes what cannot stand in a URL, but for the host, whose
// characters have a meaning.
func escapeOdd(s string) string {
	start := strings.Index(s, "://") + 3
	if start < 3 {
		return s
	}
	host := strings.IndexAny(s[start:], "/?#")
	if host < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:start+host])
	for i := start + host; i < len(s); i++ {
		if odd(rune(s[i])) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// TrackerSchemes returns the protocols of trackers that there are.
func TrackerSchemes() []string { return []string{"http", "https", "udp", "ws", "wss"} }

// CanAsk tells whether this client can ask the tracker at a URL that TrackerURL
// has returned.
func CanAsk(url string) bool {
	scheme, _, found := strings.Cut(url, "://")
	return found && (scheme == "http" || scheme == "https" || scheme == "udp")
}

// Supported returns the tiers with only those trackers that can be asked.
func Supported(tiers [][]string) [][]string {
	var supported [][]string
	for _, tier := range tiers {
		tier = slices.DeleteFunc(slices.Clone(tier), func(s string) bool { return !CanAsk(s) })
		if len(tier) > 0 {
			supported = append(supported, tier)
		}
	}
	return supported
}

// tiers reads the trackers: the announce-list (BEP 12), and announce if nothing
// in the list can be asked.
func (t *Torrent) tiers(outer dict.Dict) [][]string {
	l := newTrackerList(t)
	list, _ := outer.List("announce-list", maxTiers)
	for _, raw := range list {
		tier, ok := dict.List(raw, maxTiers)
		if !ok { // some makers write a flat list
			tier = []bencode.Bytes{raw}
		}
		if !l.add(tier) {
			break
		}
	}
	if len(Supported(l.tiers)) == 0 {
		l.add([]bencode.Bytes{outer["announce"]})
	}
	return l.tiers
}

// trackerList is the trackers of a torrent that have been read so far.
type trackerList struct {
	t     *Torrent // takes the warnings
	tiers [][]string
	seen  map[string]bool // those that were left out, too
	hosts map[string]int  // see crowded
}

func newTrackerList(t *Torrent) *trackerList {
	return &trackerList{t: t, seen: make(map[string]bool), hosts: make(map[string]int)}
}

// LinkTiers is the trackers of a magnet link, each a tier of its own. The
// warnings say which are left out, and why.
func LinkTiers(trackers []string) (tiers [][]string, warnings []string) {
	t := new(Torrent)
	l := newTrackerList(t)
	for _, s := range trackers {
		if !l.addTexts([]string{s}) {
			break
		}
	}
	return l.tiers, t.Warnings
}

// add adds a tier. It returns false if no more trackers are taken.
func (l *trackerList) add(tier []bencode.Bytes) bool {
	texts := make([]string, len(tier))
	for i, raw := range tier {
		texts[i], _ = dict.Text(raw)
	}
	return l.addTexts(texts)
}

func (l *trackerList) addTexts(tier []string) bool {
	var all, taken []string
	for _, text := range tier {
		all = append(all, SplitTrackers(text)...)
	}
	room := true
	for i := 0; i < len(all) && room; i++ {
		var url string
		if url, room = l.take(all[i]); url != "" {
			taken = append(taken, url)
		}
	}
	if len(taken) > 0 {
		l.tiers = append(l.tiers, taken)
	}
	return room
}

// take returns the URL of a tracker, "" if it is left out, and false if no more
// trackers are taken.
func (l *trackerList) take(s string) (string, bool) {
	url, err := TrackerURL(s)
	if err == nil {
		s = url
	}
	switch {
	case l.seen[s]:
		return "", true
	case len(l.seen) == MaxTrackers:
		l.t.warn("Trackers beyond the first %d are left out.", MaxTrackers)
		return "", false
	}
	l.seen[s] = true
	if err == nil {
		err = crowded(l.hosts, s)
	}
	if err != nil {
		l.t.warn("The tracker %q is left out: %s.", MaskURL(s), err)
		return "", true
	}
	return s, true
}

// readUnsupported notes what outer has that is not used, so that the user need
// not wonder.
func (t *Torrent) readUnsupported(outer dict.Dict) {
	note := func(format string, args ...any) { t.Unsupported = append(t.Unsupported, fmt.Sprintf(format, args...)) }
	var browsers []string
	for _, s := range slices.Concat(t.Announce...) {
		if u, err := url.Parse(s); err == nil && (u.Scheme == "ws" || u.Scheme == "wss") && !slices.Contains(browsers, u.Host) {
			browsers = append(browsers, u.Host)
		}
	}
	if len(browsers) > 0 {
		note("WebTorrent trackers are not supported, as their peers are browsers, and are not asked: %s.", someOf(browsers))
	}
	if hosts := hostsOf(outer, "httpseeds"); len(hosts) > 0 {
		note("HTTP seeds are not supported (BEP 17) and are not used: %s.", someOf(hosts))
	}
	if nodes, _ := outer.List("nodes", maxTiers); len(nodes) > 0 {
		note("Nodes of the DHT in a torrent are not supported (BEP 5) and are not asked.")
	}
}

// hostsOf returns the hosts of URLs, which are a list or a single string.
func hostsOf(outer dict.Dict, key string) []string {
	list, ok := outer.List(key, maxTiers)
	if !ok {
		list = []bencode.Bytes{outer[key]}
	}
	var hosts []string
	for _, raw := range list {
		text, _ := dict.Text(raw)
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		host := Clean(text, shownText)
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			host = u.Host
		}
		if ascii, err := idna.Lookup.ToASCII(host); err == nil {
			host = ascii
		}
		if !slices.Contains(hosts, host) && len(hosts) < MaxTrackers {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// someOf names the first few of a list.
func someOf(list []string) string {
	const few = 3
	text := strings.Join(list[:min(len(list), few)], ", ")
	if more := len(list) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return Clean(text, 3*shownText)
}

// maxAtHost is how many trackers that can be asked a .torrent may name at one
// host: it must not have us attack the host.
const maxAtHost = 4

// crowded counts a tracker with its host, and fails if the host has too many.
func crowded(hosts map[string]int, tracker string) error {
	u, err := url.Parse(tracker)
	if err != nil || !CanAsk(tracker) {
		return err
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	if hosts[host]++; hosts[host] > maxAtHost {
		return fmt.Errorf("its host has %d already", maxAtHost)
	}
	return nil
}
