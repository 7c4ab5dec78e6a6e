//go:build linux

package shaped

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// NewFar makes a network with a host for each link, far from each other: this
// process carries their frames, with the delay, the jitter and the loss of the
// two links, and those of a connection in their order. Tc's netem would do so
// in kernels that have it, but for the order.
func NewFar(links []Link) (*Network, error) {
	n, err := plan(links)
	if err != nil {
		return nil, err
	}
	own := n.name + "p" // the port of this process
	setup := []string{
		"link set lo up",
		"link add name " + own + " type veth peer name " + n.name + " address " + hardware(bridge),
		"addr add " + n.Bridge.String() + "/24 dev " + n.name,
		"link set dev " + n.name + " up",
		"link set dev " + own + " up",
	}
	home := ""
	if slices.ContainsFunc(links, func(l Link) bool { return l.Loss > 0 }) {
		home = "gso_max_segs 1" // a frame is one packet, and not a train of them that is lost together
	}
	ports := []string{own}
	for i := range n.Hosts {
		setup = append(setup, n.Hosts[i].setup(home, "")...)
		ports = append(ports, n.Hosts[i].port)
	}
	if n, err = n.made(setup, links); err != nil {
		return nil, err
	}
	if n.carrier, err = newCarrier(ports, append([]Link{{}}, links...)); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Cut divides a network that NewFar has made: hosts on different sides cannot
// reach each other. This process is on side 0. nil: all are on one side again.
func (n *Network) Cut(side func(host int) int) {
	n.carrier.mu.Lock()
	defer n.carrier.mu.Unlock()
	n.carrier.flying.cut(side)
}

const (
	// virtual is the length of what the kernel puts before each frame: which
	// checksum is to be made, and into how many segments a frame is to be cut.
	virtual = 10
	// longest is the length of a frame with the segments of a train, at most.
	longest = virtual + ethernet + 64<<10
	// socketBuffer is how much the socket of a port holds in each direction: more
	// than the buffers of tc, so that it is these that lose what is too much.
	socketBuffer = 16 << 20
)

// carrier carries frames between ports, which have the order of its links.
type carrier struct {
	ports []*os.File
	begin time.Time
	wake  chan struct{} // there is a new first flight
	over  chan struct{}
	busy  sync.WaitGroup

	mu     sync.Mutex
	flying inFlight
}

func newCarrier(names []string, links []Link) (*carrier, error) {
	c := &carrier{begin: time.Now(), wake: make(chan struct{}, 1), over: make(chan struct{}), flying: newInFlight(links)}
	for _, name := range names {
		port, err := openPort(name)
		if err != nil {
			c.close()
			return nil, fmt.Errorf("port %s: %w", name, err)
		}
		c.ports = append(c.ports, port)
	}
	for i := range c.ports {
		c.busy.Go(func() { c.read(i) })
	}
	c.busy.Go(c.deliver)
	return c, nil
}

// openPort opens a port for whole frames.
func openPort(name string) (*os.File, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0) // it hears nothing before it is bound
	if err != nil {
		return nil, err
	}
	const ownIgnored = 23 // PACKET_IGNORE_OUTGOING
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, ownIgnored, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer),
	)
	if err == nil {
		all := binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(all), Ifindex: device.Index})
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// read takes what a port sends until the carrier is closed.
func (c *carrier) read(from int) {
	room := make([]byte, longest)
	for {
		n, err := c.ports[from].Read(room)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || n <= virtual { // the port was down for a moment
			continue
		}
		c.mu.Lock()
		first := c.flying.take(time.Since(c.begin), from, room[virtual:n], room[:n])
		c.mu.Unlock()
		if first {
			select {
			case c.wake <- struct{}{}:
			default: // it is woken
			}
		}
	}
}

// deliver hands over the frames that have arrived, until the carrier is closed.
func (c *carrier) deliver() {
	const idle = time.Hour // how long nothing is looked for where nothing flies
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-c.wake:
		case <-c.over:
			return
		}
		for {
			c.mu.Lock()
			f, wait := c.flying.next(time.Since(c.begin), idle)
			c.mu.Unlock()
			if wait > 0 {
				timer.Reset(wait)
				break
			}
			c.hand(f)
		}
	}
}

// hand writes a frame to its port. What the buffer there has no room for is
// lost.
func (c *carrier) hand(f flight) {
	raw, err := c.ports[f.to].SyscallConn()
	if err != nil {
		return // the carrier is being closed
	}
	_ = raw.Write(func(fd uintptr) bool {
		_, _ = unix.Write(int(fd), f.frame) // ENOBUFS and EAGAIN: there is no room
		return true
	})
}

func (c *carrier) close() {
	close(c.over)
	for _, p := range c.ports {
		p.Close()
	}
	c.busy.Wait()
}
