package messages

import (
	"net/netip"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The conversation of the UDP sockets, one for each address family, and those
// that use them: the DHT (BEP 5) and trackers (BEP 15). A socket outlives its
// users, and its users outlive it.

// Datagram is one UDP datagram; Addr is the other side. IPv4 addresses are
// never mapped into IPv6.
type Datagram struct {
	Addr netip.AddrPort
	Data []byte
}

// SocketStarted: socket to session, each time it has started. The session
// answers BindSocket once it is known where we listen.
type SocketStarted struct{ Socket *actor.PID }

// BindSocket: session to socket: bind Addr, whose port is that of TCP if we
// listen, and 0 for any port otherwise. The address that the socket had earlier
// in this run, Before, goes first: others know us there. A socket that is bound
// already stays so. It answers SocketReady or SocketFailed.
type BindSocket struct{ Addr, Before netip.AddrPort }

// SocketReady: socket to session and on to subscribers, each time it is bound,
// and in answer to BindSocket; and to the DHT of its family, also in answer to
// QuerySocket.
type SocketReady struct{ Addr netip.AddrPort }

// SocketFailed: socket to session and on to subscribers, each time it cannot
// bind Addr, or is lost. It tries again, unless this machine has no address of
// the family.
type SocketFailed struct {
	Addr netip.AddrPort
	Err  error
}

// QuerySocket: dht to socket, each time that the DHT has started. The answer is
// SocketReady, once the socket is bound.
type QuerySocket struct{ ReplyTo *actor.PID }

// SendDatagrams: tracker and dht to socket, to be sent. What cannot be sent is
// dropped: who waits for an answer has a timer; a tracker is told by
// DatagramsUnsent if no later try is likely to fare better. The socket owns the
// slice.
type SendDatagrams struct {
	Datagrams []Datagram
	// From is a tracker that waits for an answer with this transaction id (BEP 15)
	// from the address of each datagram until then, nil for all others. The socket
	// passes nothing else on to a tracker, and forgets the transaction with the
	// answer.
	From        *actor.PID
	Transaction uint32
	Until       time.Time
}

// DatagramsUnsent: socket to the tracker whose SendDatagrams the system
// refuses; Err says why, such as that the network is unreachable. The tracker
// waits for no answer with this transaction id any more.
type DatagramsUnsent struct {
	Transaction uint32
	Err         error
}

// DatagramReceived: socket to dht, that of its family, if the first byte is
// that of a dictionary, and else to the tracker that waits for it. The receiver
// owns the data.
type DatagramReceived struct {
	Datagram
	At time.Time
}

// IgnoreDeadLetterLogging: a tracker may end before its answer comes.
func (*DatagramReceived) IgnoreDeadLetterLogging() {}
