// Package udptracker is what a client and a UDP tracker say to each other:
// connections, announces and scrapes (BEP 15) with the path and the query of
// the tracker's URL (BEP 41), both sides, as values and packets.
//
// Use: a client appends requests with [AppendConnect], [AppendAnnounce] and
// [AppendScrape], and gives what comes back to [ParseAnswer], and its body to
// [ParseConnected], [ParseReply] or [ParseScrape]. A tracker gives packets to
// [ParseRequest], and appends its answers.
//
// All numbers are big endian, and packets longer than they need be are legal.
// The peers of an answer are of the family of the packet's addresses: 6 bytes
// each over IPv4, 18 over IPv6.
//
// Limits: this package does no I/O and keeps no schedule: when a packet is sent
// again, and how long a connection ID lives, is for its users to decide.
package udptracker

import (
	"encoding/binary"
	"errors"
)

// Action is what a packet asks for or answers.
type Action uint32

// The actions. A tracker answers a request with the same action or with Failed.
const (
	Connect Action = iota
	Announce
	Scrape
	Failed
)

// magic begins each connect, in the place of a connection ID.
const magic = 0x41727101980

// Lengths in bytes, without what is optional.
const (
	requestHead = 8 + 4 + 4 // connection ID, action, transaction
	answerHead  = 4 + 4     // action, transaction

	connectLength  = requestHead
	announceLength = requestHead + 82
	replyLength    = answerHead + 12 // without peers
	statsLength    = 12              // of one torrent in a scrape
	hashLength     = 20
	compact4       = 4 + 2
	compact6       = 16 + 2
)

const (
	// MaxScrape is how many torrents one packet asks for: 74 fit into the 1,500
	// bytes of an Ethernet frame.
	MaxScrape = 74
	// MaxAnswer is the longest answer of a tracker in bytes: what an IPv6 network
	// carries in one piece at least, 1,280, without the headers.
	MaxAnswer = 1280 - 40 - 8
	// MaxPath is how many bytes of path and query a tracker reads.
	MaxPath = 1 << 10
)

// Answer is the head of a tracker's packet, and what follows.
type Answer struct {
	Action      Action
	Transaction uint32
	Body        []byte // a part of the packet
}

// ParseAnswer reads a tracker's packet. Its action is one of those of this
// package.
func ParseAnswer(packet []byte) (Answer, error) {
	if len(packet) < answerHead {
		return Answer{}, errors.New("the packet is too short for an answer")
	}
	a := Answer{
		Action:      Action(binary.BigEndian.Uint32(packet)),
		Transaction: binary.BigEndian.Uint32(packet[4:]),
		Body:        packet[answerHead:],
	}
	if a.Action > Failed {
		return Answer{}, errors.New("the packet has an unknown action")
	}
	return a, nil
}

func appendHead(dst []byte, action Action, transaction uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(dst, uint32(action)), transaction)
}
