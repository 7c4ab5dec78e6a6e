//go:build linux

// Package shaped makes a network of hosts on one machine, each behind a link of
// its own like that of a home: two rates, and buffers before them.
//
// Each host is a network namespace with real TCP. A veth leads from it to the
// namespace of this process. Tc's token bucket shapes what the host sends where
// the host sends it, and what it receives where it is sent to the host; what
// does not fit into the buffer is lost. In between there is a bridge, which New
// makes, and so no other delay than that of the buffers; or this process, which
// takes the frames from link to link after a delay: see NewFar.
//
// A program calls Enter first, or EnterThread, and New or NewFar in the
// namespaces that it gets then. The package needs root, and the programs ip, tc
// and sysctl.
package shaped

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// buffer is how long what waits before a link may take to pass it, as in
	// modems, and leastBuffer how many bytes may wait before a slow link. With 24
	// KiB before 2 Mbit/s TCP timed out all the time, and one and the same swarm
	// took 48 s and 67 s.
	buffer      = 100 * time.Millisecond
	leastBuffer = 64 << 10
	// burst is for how long a link that was idle may send at any rate, and
	// leastBurst how many bytes that are at least: two packets.
	burst      = 5 * time.Millisecond
	leastBurst = 3200
	// headers are the bytes of Ethernet, IPv4 and TCP with its time stamps.
	headers = 14 + 20 + 32
)

// settings of TCP in each host. Reno is the one control of congestion that
// every kernel has and lets a namespace choose; with windows as small as those
// of a home's uplink, CUBIC keeps to what Reno does. Nothing is remembered of
// earlier connections.
//
// Linux sends in packets of up to 64 KiB to a host less than half a millisecond
// away, as in a data centre, and in packets of two segments to others. Without
// delays a connection counts as that near if it was made before the link was
// busy, and took three times as much of the link as those made later: so the
// distance must not matter.
var settings = []string{
	"net.ipv4.tcp_congestion_control=reno", "net.ipv4.tcp_no_metrics_save=1", "net.ipv4.tcp_tso_rtt_log=0",
}

// bridge and firstHost are the last bytes of addresses in a network.
const bridge, firstHost = 1, 10

// Link is that of a host.
type Link struct {
	Up, Down int64 // bytes a second; 0: no bound
	// Queue is how long what waits before the link may take to pass it; 0: as in
	// modems.
	Queue time.Duration
	// The following are kept by NewFar alone. Between two hosts each is the sum of
	// theirs.
	Delay  time.Duration // one way to the middle of the network
	Jitter time.Duration // the most by which a frame may be later
	Loss   float64       // part of the frames that are lost
}

// Host is one namespace and its link.
type Host struct {
	Addr netip.Addr
	// Within is the command in front of a program that is to run on the host.
	Within []string

	number          int
	namespace, port string // its port of the bridge
}

// Network is what New or NewFar made. It lasts until Close.
type Network struct {
	Bridge  netip.Addr // the address of this process, which no link shapes
	Hosts   []Host
	name    string   // of the bridge, or of the port of this process
	carrier *carrier // nil: a bridge carries the frames
}

var networks atomic.Int32

// New makes a network with a host for each link, which a bridge joins. Several
// can be there at once.
func New(links []Link) (*Network, error) {
	n, err := plan(links)
	if err != nil {
		return nil, err
	}
	setup := []string{
		"link add name " + n.name + " address " + hardware(bridge) + " type bridge",
		"addr add " + n.Bridge.String() + "/24 dev " + n.name,
		"link set lo up",
		"link set dev " + n.name + " up",
	}
	for i := range n.Hosts {
		setup = append(setup, n.Hosts[i].setup("", "master "+n.name)...)
	}
	return n.made(setup, links)
}

// plan names all that a network consists of.
func plan(links []Link) (*Network, error) {
	const most = 200
	number := int(networks.Add(1))
	if len(links) > most {
		return nil, fmt.Errorf("%d hosts, and %d is the most", len(links), most)
	}
	addr := func(host int) netip.Addr {
		return netip.AddrFrom4([4]byte{10, 77, byte(number), byte(host)})
	}
	n := &Network{Bridge: addr(bridge), name: fmt.Sprintf("b%d", number)}
	for i := range links {
		h := Host{Addr: addr(firstHost + i), number: firstHost + i, namespace: fmt.Sprintf("n%d-%d", number, i), port: fmt.Sprintf("p%d-%d", number, i)}
		h.Within = []string{"ip", "netns", "exec", h.namespace}
		n.Hosts = append(n.Hosts, h)
	}
	return n, nil
}

// setup is how ip makes the namespace of a host, and its port; in the words of
// ip, what its end of the link is like, and what makes the port part of the
// network.
func (h *Host) setup(home, join string) []string {
	return []string{
		"netns add " + h.namespace,
		"link add name " + h.port + " type veth peer name home address " + hardware(h.number) + " " + home + " netns " + h.namespace,
		"link set dev " + h.port + " " + join + " up",
	}
}

// made does what plan and setup have said.
func (n *Network) made(setup []string, links []Link) (*Network, error) {
	err := batch(setup, "ip")
	for i := range n.Hosts {
		if err == nil {
			err = n.Hosts[i].shape(links[i])
		}
	}
	if err == nil {
		err = n.introduce()
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// introduce has all know where the others are, without asking. Linux keeps
// answers to such questions in one table for all namespaces, of 1,024 entries
// unless told otherwise, and drops packets to those for whom it has no room: of
// four swarms of 17 some hosts found neither tracker nor peers for half a
// minute. Entries like these do not count.
func (n *Network) introduce() error {
	known := []string{fmt.Sprintf("neigh replace %s lladdr %s dev home nud permanent", n.Bridge, hardware(bridge))}
	var atBridge []string
	for i := range n.Hosts {
		h := &n.Hosts[i]
		known = append(known, fmt.Sprintf("neigh replace %s lladdr %s dev home nud permanent", h.Addr, hardware(h.number)))
		atBridge = append(atBridge, fmt.Sprintf("neigh replace %s lladdr %s dev %s nud permanent", h.Addr, hardware(h.number), n.name))
	}
	for i := range n.Hosts {
		others := slices.Delete(slices.Clone(known), 1+i, 2+i)
		if err := batch(others, "ip", "-n", n.Hosts[i].namespace); err != nil {
			return err
		}
	}
	return batch(atBridge, "ip")
}

// hardware is the address of a network card.
func hardware(number int) string { return fmt.Sprintf("02:00:00:00:00:%02x", number) }

// shape gives a host its address, its rates and the settings of its TCP.
func (h *Host) shape(l Link) error {
	err := batch([]string{"link set lo up", "addr add " + h.Addr.String() + "/24 dev home", "link set home up"}, "ip", "-n", h.namespace)
	if err == nil && l.Up > 0 {
		err = batch([]string{"qdisc add dev home root " + bucket(l.Up, l.Queue)}, "tc", "-n", h.namespace)
	}
	if err == nil && l.Down > 0 {
		err = batch([]string{"qdisc add dev " + h.port + " root " + bucket(l.Down, 0)}, "tc")
	}
	if err == nil {
		// A kernel without the last setting does not do what it turns off.
		err = run(nil, append(append(h.Within[:len(h.Within):len(h.Within)], "sysctl", "-q", "-e", "-w"), settings...)...)
	}
	return err
}

// bucket is the token bucket of a rate, in the words of tc, with a buffer of so
// much time; 0: as usual.
func bucket(rate int64, queue time.Duration) string {
	in := func(d time.Duration) int64 { return int64(d.Seconds() * float64(rate)) }
	return fmt.Sprintf("tbf rate %dbit burst %d limit %d", 8*rate, max(leastBurst, in(burst)), max(leastBuffer, in(cmp.Or(queue, buffer))))
}

// Queue is how long what waits before a link of this rate takes to pass it when
// its buffer is full.
func Queue(rate int64) time.Duration {
	return max(buffer, time.Duration(leastBuffer*int64(time.Second)/rate))
}

// Close removes the network. Programs that still run there lose it.
func (n *Network) Close() {
	if n.carrier != nil {
		n.carrier.close()
	}
	for i := range n.Hosts {
		_ = run(nil, "ip", "netns", "delete", n.Hosts[i].namespace) // it may not be there
		_ = run(nil, "ip", "link", "delete", n.Hosts[i].port)       // nor this, if programs of the host have ended
	}
	_ = run(nil, "ip", "link", "delete", n.name)
}

func batch(lines []string, command ...string) error {
	return run([]byte(strings.Join(lines, "\n")+"\n"), append(command, "-batch", "-")...)
}

func run(stdin []byte, command ...string) error {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin = bytes.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Payload is what TCP has carried: headers are not counted, what was sent again
// is.
type Payload struct{ Sent, Received int64 }

// Carried is what a host has sent and received, in bytes that have passed its
// link.
func (h *Host) Carried() (p Payload, err error) {
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(text)) {
		port, counts, _ := strings.Cut(strings.TrimSpace(line), ":")
		if port != h.port {
			continue
		}
		fields := strings.Fields(counts)
		if len(fields) < 10 {
			break
		}
		number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
		// What the port receives the host has sent.
		return Payload{Sent: number(0) - headers*number(1), Received: number(8) - headers*number(9)}, nil
	}
	return p, fmt.Errorf("the kernel does not count what passes %s", h.port)
}

// Dial connects to an address as if the host did, even to its loopback.
func (h *Host) Dial(ctx context.Context, network, addr string) (conn net.Conn, err error) {
	err = h.inside(func() (err error) {
		// The socket of a single address is made by this thread, and stays there.
		var dialer net.Dialer
		conn, err = dialer.DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// Start starts a program on the host.
func (h *Host) Start(c *exec.Cmd) error { return h.inside(c.Start) }

// inside lets the calling thread do something in the network of the host.
func (h *Host) inside(do func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open(names + "/" + h.namespace)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = do()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(back) // the thread would serve other goroutines in the wrong network
	}
	return err
}
