//go:build linux

package counterpart

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// Place is a loopback address with two free ports.
type Place struct {
	Host string
	Port int // for peers; Port+1 is for remote control
}

var places atomic.Int32

// NewPlace returns a place that no other process of this program has. Its ports
// are below those that the system gives to outgoing connections.
func NewPlace() Place {
	for {
		n := int(places.Add(1))
		p := Place{
			Host: fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()%200, n/200, 1+n%200),
			Port: 10_000 + (os.Getpid()*64+n)*2%20_000,
		}
		if free(p.Port) && free(p.Port+1) {
			return p
		}
	}
}

// Peer is the address that peers connect to.
func (p Place) Peer() string { return net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) }

func free(port int) bool {
	l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
