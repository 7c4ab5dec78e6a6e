package krpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"

	"kouzui/wire/metainfo"
	"kouzui/wire/metainfo/dict"
)

// limits are those of a message: a datagram has room for some 190 values.
var limits = dict.Limits{Keys: 32, Values: 512}

const maxText = 100 // bytes of the text of an error

var (
	errTooLong     = fmt.Errorf("longer than %d bytes", MaxReceived)
	errTransaction = fmt.Errorf("no transaction id, or one of more than %d bytes", MaxTransaction)
	errKind        = errors.New("neither query, reply nor error")
	errID          = errors.New("no id of 20 bytes")
	errTarget      = errors.New("no target or info hash of 20 bytes")
	errAnnounce    = errors.New("an announce without a port or a token")
)

// Parse reads a message. It is an error if one of the fields is missing that
// every message of its kind must have. Another field that makes no sense is
// treated as missing, nodes and values at port 0 included. With an error, the
// message has its Kind and Transaction if there are any, so that a query can be
// answered.
func Parse(raw []byte) (Message, error) {
	var m Message
	if len(raw) > MaxReceived {
		return m, errTooLong
	}
	n, err := dict.Check(raw, limits)
	if err != nil {
		return m, err
	}
	var arguments, values, failure []byte
	for key, value := range dict.Pairs(raw[:n]) {
		switch string(key) {
		case "t":
			m.Transaction, _ = dict.Bytes(value)
		case "y":
			if y, _ := dict.Bytes(value); len(y) == 1 {
				m.Kind = Kind(y[0])
			}
		case "q":
			m.Method = method(value)
		case "a":
			arguments = value
		case "r":
			values = value
		case "e":
			failure = value
		case "v":
			m.Version, _ = dict.Bytes(value)
		case "ro":
			m.ReadOnly = flag(value)
		case "ip":
			m.External = address(value)
		}
	}
	if len(m.Transaction) == 0 || len(m.Transaction) > MaxTransaction {
		m.Transaction = nil
		return m, errTransaction
	}
	switch m.Kind {
	case Query:
		return m, m.parseArguments(arguments)
	case Reply:
		return m, m.parseReply(values)
	case Error:
		m.parseError(failure)
		return m, nil
	}
	return m, errKind
}

// parseArguments reads the arguments of a query. The target of an unknown query
// may be missing.
func (m *Message) parseArguments(raw []byte) error {
	var hasID, hasTarget, hasHash bool
	var hash ID
	for key, value := range dict.Pairs(raw) {
		switch string(key) {
		case "id":
			m.ID, hasID = id(value)
		case "target":
			m.Target, hasTarget = id(value)
		case "info_hash":
			hash, hasHash = id(value)
		case "want":
			for item := range dict.Items(value) {
				switch family, _ := dict.Bytes(item); string(family) {
				case "n4":
					m.Want |= N4
				case "n6":
					m.Want |= N6
				}
			}
		case "port":
			m.Port = uint16(integer(value, math.MaxUint16))
		case "implied_port":
			m.Implied = flag(value)
		case "seed":
			m.Seed = flag(value)
		case "noseed":
			m.NoSeeds = flag(value)
		case "scrape":
			m.Scrape = flag(value)
		case "token":
			m.Token = token(value)
		}
	}
	if !hasID {
		return errID
	}
	switch m.Method {
	case FindNode, Sample:
		if !hasTarget {
			return errTarget
		}
	case GetPeers, AnnouncePeer:
		if !hasHash {
			return errTarget
		}
		m.Target = hash
	}
	if m.Method == AnnouncePeer && (len(m.Token) == 0 || m.Port == 0 && !m.Implied) {
		return errAnnounce
	}
	return nil
}

func (m *Message) parseReply(raw []byte) error {
	hasID := false
	for key, value := range dict.Pairs(raw) {
		switch string(key) {
		case "id":
			m.ID, hasID = id(value)
		case "nodes":
			m.Nodes = nodes(value, 4)
		case "nodes6":
			m.Nodes6 = nodes(value, 16)
		case "values":
			m.Values = addresses(value)
		case "token":
			m.Token = token(value)
		case "BFsd":
			m.Seeds = filter(value)
		case "BFpe":
			m.Peers = filter(value)
		case "samples":
			m.Samples, m.Sampled = samples(value)
		case "num":
			m.Stored = int(integer(value, math.MaxInt32))
		case "interval":
			m.Interval = int(integer(value, math.MaxInt32))
		}
	}
	if !hasID {
		return errID
	}
	return nil
}

func (m *Message) parseError(raw []byte) {
	for item := range dict.Items(raw) {
		if text, is := dict.Bytes(item); is {
			m.Text = metainfo.Clean(string(text[:min(len(text), maxText)]), maxText)
		} else {
			m.Code = int(integer(item, math.MaxInt32))
		}
	}
}

// method is one of the constants where it can be, so that no text is made for
// each query.
func method(raw []byte) string {
	switch name, _ := dict.Bytes(raw); string(name) {
	case Ping:
		return Ping
	case FindNode:
		return FindNode
	case GetPeers:
		return GetPeers
	case AnnouncePeer:
		return AnnouncePeer
	case Sample:
		return Sample
	}
	return "" // whatever others have invented
}

func id(raw []byte) (ID, bool) {
	b, _ := dict.Bytes(raw)
	if len(b) != len(ID{}) {
		return ID{}, false
	}
	return ID(b), true
}

// integer is the value from 0 to limit, and 0 for all others.
func integer(raw []byte, limit int64) int64 {
	if n, ok := dict.Int(raw); ok && n > 0 && n <= limit {
		return n
	}
	return 0
}

func flag(raw []byte) bool { return integer(raw, math.MaxInt64) != 0 }

func token(raw []byte) []byte {
	b, _ := dict.Bytes(raw)
	if len(b) > MaxToken {
		return nil
	}
	return b
}

func filter(raw []byte) *Filter {
	b, _ := dict.Bytes(raw)
	if len(b) != len(Filter{}) {
		return nil
	}
	return (*Filter)(b)
}

func samples(raw []byte) ([]ID, bool) {
	b, is := dict.Bytes(raw)
	const size = len(ID{})
	if !is || len(b)%size != 0 {
		return nil, false
	}
	list := make([]ID, len(b)/size)
	for i := range list {
		list[i] = ID(b[i*size:])
	}
	return list, true
}

func nodes(raw []byte, ip int) []Node {
	b, _ := dict.Bytes(raw)
	size := len(ID{}) + ip + 2
	if len(b) == 0 || len(b)%size != 0 {
		return nil
	}
	list := make([]Node, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		if addr := compact(b[len(ID{}):size]); addr.IsValid() {
			list = append(list, Node{ID(b), addr})
		}
	}
	return list
}

func addresses(raw []byte) []netip.AddrPort {
	count := 0
	for range dict.Items(raw) {
		count++
	}
	if count == 0 {
		return nil
	}
	list := make([]netip.AddrPort, 0, count)
	for item := range dict.Items(raw) {
		if addr := address(item); addr.IsValid() {
			list = append(list, addr)
		}
	}
	return list
}

func address(raw []byte) netip.AddrPort {
	b, _ := dict.Bytes(raw)
	return compact(b)
}

// compact is an address of 4 or 16 bytes and its port; the zero value for
// others, and at port 0. An IPv4 address in the form of IPv6 is none: no socket
// of ours reaches it.
func compact(b []byte) netip.AddrPort {
	if len(b) != 4+2 && len(b) != 16+2 {
		return netip.AddrPort{}
	}
	at := len(b) - 2
	ip, _ := netip.AddrFromSlice(b[:at])
	port := binary.BigEndian.Uint16(b[at:])
	if port == 0 || ip.Is4In6() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, port)
}
