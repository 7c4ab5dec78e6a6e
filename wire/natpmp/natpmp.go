// Package natpmp writes requests to routers that pass ports on, and reads their
// answers: those of NAT-PMP (RFC 6886), and of PCP (RFC 6887), its successor at
// the same UDP port. Nothing here does I/O.
package natpmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Port is that of routers, for both protocols.
const Port = 5351

const (
	versionPMP = 0
	versionPCP = 2

	opAddress = 0 // NAT-PMP alone
	opUDP     = 1 // NAT-PMP
	opTCP     = 2 // NAT-PMP
	opMap     = 1 // PCP
	isReply   = 0x80

	// protocolTCP and protocolUDP are the numbers of the internet's protocols, in
	// a request of PCP.
	protocolTCP = 6
	protocolUDP = 17

	// pmpAddressReply, pmpMapReply, pcpHeader and pcpMap, which has its header,
	// are lengths of messages, in bytes.
	pmpAddressReply = 12
	pmpMapReply     = 16
	pcpHeader       = 24
	pcpMap          = 60
	// maxReply is the length of the longest message of PCP.
	maxReply = 1100
)

// Map asks for a mapping, or with a Lease of 0 that it ends.
type Map struct {
	TCP   bool // else UDP
	Inner uint16
	Outer uint16 // wished; another may be given
	Lease time.Duration
	// Nonce proves to a router of PCP that a later request is of the same client.
	Nonce [12]byte
}

func (m Map) seconds() uint32 { return uint32(m.Lease / time.Second) }

// AppendAddress appends a question for the outer address, of NAT-PMP.
func AppendAddress(dst []byte) []byte { return append(dst, versionPMP, opAddress) }

// AppendPMP appends a request of NAT-PMP.
func AppendPMP(dst []byte, m Map) []byte {
	op, outer := byte(opUDP), m.Outer
	if m.TCP {
		op = opTCP
	}
	if m.Lease == 0 {
		outer = 0
	}
	dst = append(dst, versionPMP, op, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, m.Inner)
	dst = binary.BigEndian.AppendUint16(dst, outer)
	return binary.BigEndian.AppendUint32(dst, m.seconds())
}

// AppendPCP appends a request of PCP from a client at an address.
func AppendPCP(dst []byte, m Map, client netip.Addr) []byte {
	protocol := byte(protocolUDP)
	if m.TCP {
		protocol = protocolTCP
	}
	anywhere := netip.IPv6Unspecified()
	if client.Unmap().Is4() {
		anywhere = netip.AddrFrom4([4]byte{})
	}
	from, wish := client.As16(), anywhere.As16()
	dst = append(dst, versionPCP, opMap, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, m.seconds())
	dst = append(dst, from[:]...)
	dst = append(dst, m.Nonce[:]...)
	dst = append(dst, protocol, 0, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, m.Inner)
	dst = binary.BigEndian.AppendUint16(dst, m.Outer)
	return append(dst, wish[:]...)
}

// Reply is a router's answer. Which fields it has depends on what was asked.
type Reply struct {
	PCP          bool
	Address      bool // it answers AppendAddress
	TCP          bool
	Result       uint16 // 0: done
	Inner, Outer uint16
	Lease        time.Duration
	Addr         netip.Addr // outer; the zero value: not told
	Nonce        [12]byte
}

// Answers tells whether r answers the request m of the same protocol. A refusal
// of NAT-PMP may be cut off before the ports, and does then, too.
func (r Reply) Answers(m Map) bool {
	if r.Address || r.TCP != m.TCP || r.PCP && r.Nonce != m.Nonce {
		return false
	}
	return r.Inner == m.Inner || r.Result != 0 && r.Inner == 0
}

// Older tells whether r is the answer of a router that speaks NAT-PMP alone to
// a request of PCP.
func (r Reply) Older() bool { return !r.PCP && r.Result == 1 }

// Err is why the router refuses; nil: it does not.
func (r Reply) Err() error {
	if r.Result == 0 {
		return nil
	}
	words := pmpResults
	if r.PCP {
		words = pcpResults
	}
	if int(r.Result) < len(words) {
		return fmt.Errorf("the router refuses: %s", words[r.Result])
	}
	return fmt.Errorf("the router refuses with code %d", r.Result)
}

var (
	pmpResults = []string{"", "it does not speak NAT-PMP", "mappings are not allowed", "it has no outer address", "it has no room", "it does not know the request"}
	pcpResults = []string{"", "it does not speak PCP", "mappings are not allowed", "malformed request", "it does not know the request", "it does not know an option",
		"malformed option", "its network is down", "it has no room", "it does not know the protocol", "this host has its share", "it cannot give the port", "there is another router before it",
		"too many others"}
)

var errForm = errors.New("it is no answer of NAT-PMP or PCP")

// Parse reads an answer. What comes is from whoever can send to us: only its
// form is checked here, and Reply.Answers says whether it was asked for.
func Parse(b []byte) (Reply, error) {
	if len(b) < 4 || len(b) > maxReply || b[1]&isReply == 0 {
		return Reply{}, errForm
	}
	switch b[0] {
	case versionPMP:
		return parsePMP(b)
	case versionPCP:
		return parsePCP(b)
	}
	return Reply{}, errForm
}

func parsePMP(b []byte) (r Reply, err error) {
	r.Result = binary.BigEndian.Uint16(b[2:])
	op := b[1] &^ isReply
	switch op {
	case opAddress:
		r.Address = true
	case opTCP, opUDP:
		r.TCP = op == opTCP
	default:
		return Reply{}, errForm
	}
	switch {
	case r.Address && len(b) == pmpAddressReply:
		if r.Result == 0 {
			r.Addr = outside(netip.AddrFrom4([4]byte(b[8:12])))
		}
	case !r.Address && len(b) == pmpMapReply:
		r.Inner, r.Outer = binary.BigEndian.Uint16(b[8:]), binary.BigEndian.Uint16(b[10:])
		r.Lease = time.Duration(binary.BigEndian.Uint32(b[12:])) * time.Second
	case r.Result == 0:
		return Reply{}, errForm
	}
	return r, nil
}

func parsePCP(b []byte) (r Reply, err error) {
	if len(b) < pcpMap || len(b)%4 != 0 || b[1] != opMap|isReply {
		return Reply{}, errForm
	}
	r.PCP, r.Result = true, uint16(b[3])
	r.Lease = time.Duration(binary.BigEndian.Uint32(b[4:])) * time.Second
	body := b[pcpHeader:]
	r.Nonce = [12]byte(body)
	switch body[12] {
	case protocolTCP:
		r.TCP = true
	case protocolUDP:
	default:
		return Reply{}, errForm
	}
	r.Inner, r.Outer = binary.BigEndian.Uint16(body[16:]), binary.BigEndian.Uint16(body[18:])
	if r.Result == 0 {
		r.Addr = outside(netip.AddrFrom16([16]byte(body[20:])).Unmap())
	}
	return r, nil
}

// outside is addr, or the zero Addr if a host cannot have it.
func outside(addr netip.Addr) netip.Addr {
	if addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() {
		return netip.Addr{}
	}
	return addr
}
