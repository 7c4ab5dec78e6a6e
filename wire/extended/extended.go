// Package extended encodes and parses the messages of the extension protocol
// (BEP 10), each in a file of its own: the handshake, which has the number
// HandshakeID and follows the handshake of BEP 3 if both sides have offered the
// protocol, and the messages that it offers.
//
// Each side chooses the numbers by which it wants to be sent messages. Ours are
// the values of Kind; Numbers are those of the other side.
package extended

import "fmt"

const (
	// HandshakeID is the extended message id of the handshake.
	HandshakeID = 0
	// MaxLen is the length of the longest message that is accepted, in bytes: a
	// part of the metadata behind its dictionary.
	MaxLen = PartSize + 1<<10

	maxKeys   = 256
	maxValues = 1024
)

// Kind is a message that we know. Its value is the number by which others send
// it to us.
type Kind uint8

// The messages that we know.
const (
	Exchange   Kind = 1 + iota // BEP 11
	Metadata                   // BEP 9
	DontHave                   // BEP 54
	UploadOnly                 // BEP 21

	kinds
)

// names are what handshakes call the messages.
var names = [kinds]string{
	Exchange:   "ut_pex",
	Metadata:   "ut_metadata",
	DontHave:   "lt_donthave",
	UploadOnly: "upload_only",
}

// Known tells whether we know a message, by the number that came with it.
func (k Kind) Known() bool { return 0 < k && k < kinds }

func (k Kind) String() string {
	if k.Known() {
		return names[k]
	}
	return fmt.Sprintf("unknown(%d)", uint8(k))
}

// Numbers are the numbers by which one side wants to be sent messages.
type Numbers [kinds]Number

// Number is that of one message. HandshakeID, which is no message's number,
// means that the side does not take it.
type Number uint8

// Takes tells whether the side takes a message.
func (n *Numbers) Takes(k Kind) bool { return n[k] != HandshakeID }

// Apply takes over what a further handshake changes.
func (n *Numbers) Apply(offers Offers) {
	for k := range offers {
		if offers[k].Said {
			n[k] = offers[k].Number
		}
	}
}

// Offers are the messages that a handshake mentions. Those that it does not
// mention stay as they were.
type Offers [kinds]Offer

// Offer is what a handshake says of one message. HandshakeID withdraws it.
type Offer struct {
	Said   bool
	Number Number
}

// Ours offers messages by our numbers.
func Ours(of ...Kind) (o Offers) {
	for _, k := range of {
		o[k] = Offer{Said: true, Number: Number(k)}
	}
	return o
}

// Withdraw says that messages are not taken any more.
func (o *Offers) Withdraw(of ...Kind) {
	for _, k := range of {
		o[k] = Offer{Said: true}
	}
}
