package announce

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/metainfo"
	"kouzui/wire/metainfo/dict"
)

const (
	maxValues    = 1 << 19 // of bencode in a reply: 2 MiB of dictionary peers have half as many
	maxKeys      = 1 << 10
	maxTrackerID = 1 << 10 // bytes; a longer one is not kept

	compact4 = 4 + 2  // bytes of a BEP 23 peer
	compact6 = 16 + 2 // bytes of a BEP 7 peer
)

// ParseReply reads the body of a tracker's answer. A refusal by the tracker is
// no error, but is returned as Reply.Failure. Keys may come in any order;
// unknown keys and bytes after the end are ignored.
func ParseReply(body []byte) (Reply, error) {
	d, err := readBody(body)
	if err != nil {
		return Reply{}, err
	}
	if _, failed := d["failure reason"]; failed {
		return failure(d), nil
	}
	r := Reply{
		Warning:     text(d, "warning message"),
		Interval:    seconds(d, "interval"),
		MinInterval: seconds(d, "min interval"),
		Seeders:     total(d, "complete"),
		Leechers:    total(d, "incomplete"),
	}
	if r.Interval == 0 {
		r.Interval = DefaultInterval
	}
	r.Interval = max(r.Interval, r.MinInterval)
	if id, _ := d.Text("tracker id"); len(id) <= maxTrackerID {
		r.TrackerID = id
	}
	if list, ok := d.List("peers", maxValues); ok {
		r.addDicts(list)
	} else {
		peers, _ := d.Text("peers")
		r.AddCompact([]byte(peers), false)
	}
	peers6, _ := d.Text("peers6")
	r.AddCompact([]byte(peers6), true)
	external, _ := d.Text("external ip")
	if addr, ok := netip.AddrFromSlice([]byte(external)); ok {
		r.External = addr.Unmap()
	}
	return r, nil
}

func readBody(body []byte) (dict.Dict, error) {
	if len(body) > MaxReply {
		return nil, fmt.Errorf("the tracker's answer is longer than %d bytes", MaxReply)
	}
	d, _, err := dict.Read(body, dict.Limits{Keys: maxKeys, Values: maxValues})
	if err != nil {
		return nil, fmt.Errorf("the tracker's answer cannot be read: %w", err)
	}
	return d, nil
}

func failure(d dict.Dict) Reply {
	r := Reply{Failure: text(d, "failure reason"), Seeders: -1, Leechers: -1}
	if r.Failure == "" {
		r.Failure = "no reason given"
	}
	if minutes, ok := d.Int("retry in"); ok {
		r.RetryIn = duration(minutes, time.Minute)
	}
	never, _ := d.Text("retry in")
	r.RetryNever = never == "never"
	return r
}

// addDicts adds peers in the form of BEP 3.
func (r *Reply) addDicts(list []bencode.Bytes) {
	for i, raw := range list {
		if len(r.Peers) == MaxPeers {
			r.Dropped += len(list) - i
			return
		}
		d, _, err := dict.Read(raw, dict.Limits{Keys: maxKeys, Values: maxKeys})
		if err != nil {
			r.Dropped++
			continue
		}
		host, _ := d.Text("ip")
		port, _ := d.Int("port")
		addr, err := netip.ParseAddr(host)
		if err != nil || port < 0 || port > math.MaxUint16 {
			r.Dropped++
			continue
		}
		p := Peer{Addr: netip.AddrPortFrom(addr, uint16(port))}
		if id, _ := d.Text("peer id"); len(id) == len(p.ID) {
			copy(p.ID[:], id)
			p.HasID = true
		}
		r.add(p)
	}
}

// AddCompact adds peers that are an address and a port each (BEP 23), addresses
// of IPv6 if six (BEP 7).
func (r *Reply) AddCompact(b []byte, six bool) {
	size := compact4
	if six {
		size = compact6
	}
	for ; len(b) >= size && len(r.Peers) < MaxPeers; b = b[size:] {
		addr, _ := netip.AddrFromSlice(b[:size-2])
		r.add(Peer{Addr: netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[size-2:]))})
	}
	r.Dropped += (len(b) + size - 1) / size
}

// add keeps p if it can be dialled.
func (r *Reply) add(p Peer) {
	p.Addr = netip.AddrPortFrom(p.Addr.Addr().Unmap().WithZone(""), p.Addr.Port())
	if !CanBeDialled(p.Addr) {
		r.Dropped++
		return
	}
	r.Peers = append(r.Peers, p)
}

// CanBeDialled tells whether an address that a stranger has named is one of a
// peer. A link-local address leads to another host from each machine, or to
// services of the own machine that trust every client.
func CanBeDialled(p netip.AddrPort) bool {
	addr := p.Addr()
	broadcast := addr == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return p.Port() != 0 && !addr.IsUnspecified() && !addr.IsMulticast() && !addr.IsLinkLocalUnicast() && !broadcast
}

func text(d dict.Dict, key string) string {
	s, _ := d.Text(key)
	return metainfo.Clean(s, MaxText)
}

// seconds reads a time in seconds; 0 if there is none.
func seconds(d dict.Dict, key string) time.Duration {
	n, _ := d.Int(key)
	return Seconds(n)
}

// Seconds is a time that a tracker gives as n seconds, within the limits of
// this package; 0 if n is not positive.
func Seconds(n int64) time.Duration { return duration(n, time.Second) }

// duration limits a time to LeastInterval and MostInterval. A time that is not
// positive counts as none: 0.
func duration(n int64, unit time.Duration) time.Duration {
	if n <= 0 {
		return 0
	}
	n = min(n, int64(MostInterval/time.Second))
	return min(max(time.Duration(n)*unit, LeastInterval), MostInterval)
}

// total reads a number of peers; -1 if there is none.
func total(d dict.Dict, key string) int {
	n, ok := d.Int(key)
	if !ok || n < 0 {
		return -1
	}
	return int(min(n, math.MaxInt32))
}

// AppendReply appends r as a tracker sends it, with compact peers (BEP 23, BEP
// 7) or a list of dictionaries (BEP 3). Peers without a valid address are left
// out; Dropped and HasID are the reader's and not written.
func AppendReply(dst []byte, r Reply, compact bool) []byte {
	if r.Failure != "" {
		d := map[string]any{"failure reason": r.Failure}
		switch {
		case r.RetryNever:
			d["retry in"] = "never"
		case r.RetryIn > 0:
			d["retry in"] = int64((r.RetryIn + time.Minute - 1) / time.Minute)
		}
		return appendDict(dst, d)
	}
	d := map[string]any{"interval": int64(r.Interval / time.Second)}
	if r.MinInterval > 0 {
		d["min interval"] = int64(r.MinInterval / time.Second)
	}
	for key, s := range map[string]string{"warning message": r.Warning, "tracker id": r.TrackerID} {
		if s != "" {
			d[key] = s
		}
	}
	if r.External.IsValid() {
		d["external ip"] = string(r.External.Unmap().AsSlice())
	}
	addCounts(d, map[string]int{"complete": r.Seeders, "incomplete": r.Leechers})
	if compact {
		d["peers"], d["peers6"] = compactPeers(r.Peers)
		if d["peers6"] == "" {
			delete(d, "peers6")
		}
	} else {
		d["peers"] = dictPeers(r.Peers)
	}
	return appendDict(dst, d)
}

// AppendFailure appends a tracker's refusal, of an announce or of a scrape.
func AppendFailure(dst []byte, reason string) []byte {
	return AppendReply(dst, Reply{Failure: reason}, false)
}

// addCounts adds the counts that are known.
func addCounts(d map[string]any, counts map[string]int) {
	for key, n := range counts {
		if n >= 0 {
			d[key] = n
		}
	}
}

func compactPeers(peers []Peer) (v4, v6 string) {
	var b4, b6 []byte
	for _, p := range peers {
		switch a := p.Addr.Addr().Unmap(); {
		case a.Is4():
			b4 = binary.BigEndian.AppendUint16(append(b4, a.AsSlice()...), p.Addr.Port())
		case a.Is6():
			b6 = binary.BigEndian.AppendUint16(append(b6, a.AsSlice()...), p.Addr.Port())
		}
	}
	return string(b4), string(b6)
}

func dictPeers(peers []Peer) []map[string]any {
	list := make([]map[string]any, 0, len(peers))
	for _, p := range peers {
		if !p.Addr.IsValid() {
			continue
		}
		d := map[string]any{"ip": p.Addr.Addr().Unmap().String(), "port": int(p.Addr.Port())}
		if p.HasID {
			d["peer id"] = string(p.ID[:])
		}
		list = append(list, d)
	}
	return list
}

// appendDict encodes a dictionary of numbers, strings and lists of them, which
// the bencode library never refuses.
func appendDict(dst []byte, d map[string]any) []byte {
	return append(dst, bencode.MustMarshal(d)...)
}

// ParseScrape reads the body of a tracker's answer to a scrape. A refusal by
// the tracker is an error.
func ParseScrape(body []byte) (map[metainfo.Hash]Stats, error) {
	d, err := readBody(body)
	if err != nil {
		return nil, err
	}
	if _, failed := d["failure reason"]; failed {
		return nil, errors.New("the tracker refuses: " + failure(d).Failure)
	}
	files, ok := d.Dict("files", maxValues)
	if !ok {
		return nil, errors.New("the tracker's answer to a scrape lists no torrents")
	}
	stats := make(map[metainfo.Hash]Stats, len(files))
	for key := range files {
		in, ok := files.Dict(key, maxKeys)
		if h, err := hash20("", key); err == nil && ok {
			stats[h] = Stats{Seeders: total(in, "complete"), Leechers: total(in, "incomplete"), Completed: total(in, "downloaded")}
		}
	}
	return stats, nil
}

// AppendScrape appends an answer to a scrape as a tracker sends it.
func AppendScrape(dst []byte, files map[metainfo.Hash]Stats) []byte {
	in := make(map[string]any, len(files))
	for h, s := range files {
		counts := make(map[string]any)
		addCounts(counts, map[string]int{"complete": s.Seeders, "incomplete": s.Leechers, "downloaded": s.Completed})
		in[string(h[:])] = counts
	}
	return appendDict(dst, map[string]any{"files": in})
}
