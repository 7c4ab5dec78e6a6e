package udptracker

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"slices"

	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

// events are the numbers of events, by announce.Event. Paused (BEP 21) has none
// in BEP 15; 4 is what clients send.
var events = [...]uint32{announce.None: 0, announce.Completed: 1, announce.Started: 2, announce.Stopped: 3, announce.Paused: 4}

// Options that follow an announce (BEP 41).
const (
	endOfOptions = iota
	noOption
	urlData // a length of 1 byte, and so much of the path and the query
)

// AppendConnect appends a request for a connection ID.
func AppendConnect(dst []byte, transaction uint32) []byte {
	return appendHead(binary.BigEndian.AppendUint64(dst, magic), Connect, transaction)
}

// AppendAnnounce appends an announce. path is the path and the query of the
// tracker's URL. The tracker ID and IPv6 of r have no place in a packet, and
// IP has one only if it is of IPv4.
func AppendAnnounce(dst []byte, connection uint64, transaction uint32, r announce.Request, path string) []byte {
	dst = appendHead(binary.BigEndian.AppendUint64(dst, connection), Announce, transaction)
	dst = append(dst, r.InfoHash[:]...)
	dst = append(dst, r.PeerID[:]...)
	for _, n := range []int64{r.Downloaded, r.Left, r.Uploaded} {
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = binary.BigEndian.AppendUint32(dst, events[r.Event])
	var ip [4]byte
	if r.IP.Is4() {
		ip = r.IP.As4()
	}
	dst = append(dst, ip[:]...)
	dst = binary.BigEndian.AppendUint32(dst, r.Key)
	dst = binary.BigEndian.AppendUint32(dst, uint32(int32(max(min(r.NumWant, math.MaxInt32), -1))))
	dst = binary.BigEndian.AppendUint16(dst, r.Port)
	for part := range slices.Chunk([]byte(path), math.MaxUint8) {
		dst = append(append(dst, urlData, byte(len(part))), part...)
	}
	return dst
}

// AppendScrape appends a scrape of up to MaxScrape torrents.
func AppendScrape(dst []byte, connection uint64, transaction uint32, torrents []metainfo.Hash) []byte {
	dst = appendHead(binary.BigEndian.AppendUint64(dst, connection), Scrape, transaction)
	for _, h := range torrents[:min(len(torrents), MaxScrape)] {
		dst = append(dst, h[:]...)
	}
	return dst
}

// Request is a client's packet.
type Request struct {
	Action      Action // never Failed
	Connection  uint64 // of all but Connect
	Transaction uint32
	Announce    announce.Request // of Announce; it is compact
	Path        string           // of Announce: path and query, if the client says them
	Torrents    []metainfo.Hash  // of Scrape, at most MaxScrape
}

// ErrNoRequest: the packet is none of a client, and is not to be answered.
var ErrNoRequest = errors.New("the packet is no request to a tracker")

// ParseRequest reads a client's packet. Another error than ErrNoRequest is a
// sentence for AppendFailed; the connection ID and the transaction are read
// then, too.
func ParseRequest(packet []byte) (Request, error) {
	if len(packet) < requestHead {
		return Request{}, ErrNoRequest
	}
	r := Request{
		Connection:  binary.BigEndian.Uint64(packet),
		Action:      Action(binary.BigEndian.Uint32(packet[8:])),
		Transaction: binary.BigEndian.Uint32(packet[12:]),
	}
	body := packet[requestHead:]
	switch r.Action {
	case Connect:
		if r.Connection != magic {
			return Request{}, ErrNoRequest
		}
		r.Connection = 0
		return r, nil
	case Announce:
		if len(packet) < announceLength {
			return r, errors.New("the announce is too short")
		}
		return r, r.readAnnounce(body)
	case Scrape:
		for ; len(body) >= hashLength && len(r.Torrents) < MaxScrape; body = body[hashLength:] {
			r.Torrents = append(r.Torrents, metainfo.Hash(body[:hashLength]))
		}
		if len(r.Torrents) == 0 {
			return r, errors.New("a scrape must name its torrents")
		}
		return r, nil
	}
	return Request{}, ErrNoRequest
}

// readAnnounce reads what follows the head, of which there is enough.
func (r *Request) readAnnounce(body []byte) error {
	a := &r.Announce
	a.Compact = true
	a.InfoHash = metainfo.Hash(body[:20])
	a.PeerID = [20]byte(body[20:40])
	for i, to := range []*int64{&a.Downloaded, &a.Left, &a.Uploaded} {
		*to = int64(min(binary.BigEndian.Uint64(body[40+8*i:]), math.MaxInt64))
	}
	event := slices.Index(events[:], binary.BigEndian.Uint32(body[64:]))
	a.Event = announce.Event(max(event, int(announce.None))) // others are regular announces to us
	if ip := netip.AddrFrom4([4]byte(body[68:72])); !ip.IsUnspecified() {
		a.IP = ip
	}
	a.Key = binary.BigEndian.Uint32(body[72:])
	a.NumWant = int(max(int32(binary.BigEndian.Uint32(body[76:])), -1))
	a.Port = binary.BigEndian.Uint16(body[80:])
	r.Path = readPath(body[82:])
	if a.Port == 0 {
		return errors.New("port must be from 1 to 65535")
	}
	return nil
}

// readPath reads the options after an announce, up to one that is unknown,
// which may have any length, or cut off.
func readPath(options []byte) string {
	var path []byte
	for len(options) > 0 && len(path) < MaxPath {
		kind := options[0]
		options = options[1:]
		switch kind {
		case noOption:
		case urlData:
			if len(options) == 0 || len(options)-1 < int(options[0]) {
				return string(path)
			}
			end := 1 + int(options[0])
			path = append(path, options[1:end]...)
			options = options[end:]
		case endOfOptions:
			return string(path)
		default:
			return string(path)
		}
	}
	return string(path[:min(len(path), MaxPath)])
}
