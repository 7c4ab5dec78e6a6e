package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kouzui/cmd/internal/shaped"
	"kouzui/wire/metainfo"
)

// outside is a machine's way to all other machines, on which nobody answers: a
// default route for each address family and a server of names, beyond a device
// that keeps what is sent.
type outside struct {
	t    *testing.T
	wire int // a packet socket at the other end of the device
}

// nameserver is where names are looked up. All addresses here are kept for
// documentation, or of one network.
const nameserver = "192.0.2.53"

// enterOutside gives the calling thread a network with nothing but loopback and
// the way outside. The goroutine keeps the thread until it ends.
func enterOutside(t *testing.T) *outside {
	if err := shaped.EnterThread(); err != nil {
		t.Fatal(err)
	}
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver "+nameserver+"\noptions timeout:1 attempts:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(resolv, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	o := &outside{t: t}
	o.run("ip link set lo up")
	o.wire = o.add("out", 99, 1)
	return o
}

// add adds a device with 10.N.0.2 and fd00:N::2 and default routes of a metric,
// and returns a packet socket at its other end.
func (o *outside) add(name string, n, metric int) (wire int) {
	v4, v6, end := fmt.Sprintf("10.%d.0.", n), fmt.Sprintf("fd00:%d::", n), name+"-wire"
	o.run(
		"ip link add name "+name+" type veth peer name "+end,
		"sysctl -q -w net.ipv6.conf."+end+".disable_ipv6=1",
		"ip link set "+end+" up", "ip link set "+name+" up",
		"ip addr add "+v4+"2/24 dev "+name, "ip -6 addr add "+v6+"2/64 dev "+name+" nodad",
		// Nobody is asked where the router is, so that packets leave at once.
		"ip neigh replace "+v4+"1 lladdr 02:00:00:00:00:01 dev "+name+" nud permanent",
		"ip neigh replace "+v6+"1 lladdr 02:00:00:00:00:01 dev "+name+" nud permanent",
		fmt.Sprintf("ip route add default via %s1 metric %d", v4, metric), fmt.Sprintf("ip -6 route add default via %s1 metric %d", v6, metric),
	)
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // in the order of the network
	wire, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = unix.Close(wire) })
	device, err := net.InterfaceByName(end)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := unix.Bind(wire, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}); err != nil {
		o.t.Fatal(err)
	}
	return wire
}

func (o *outside) run(commands ...string) {
	for _, command := range commands {
		words := strings.Fields(command)
		if said, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			o.t.Fatalf("%s: %v: %s", command, err, said)
		}
	}
}

// left is what has left since the last call, a line for each frame, but for
// what Linux itself says about addresses of IPv6.
func (o *outside) left() []string { return o.leftBy(o.wire) }

func (o *outside) leftBy(wire int) (lines []string) {
	frame := make([]byte, 1<<16)
	for {
		n, from, err := unix.Recvfrom(wire, frame, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return lines
		case err != nil:
			o.t.Fatal(err)
		}
		if from.(*unix.SockaddrLinklayer).Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		if line := describeFrame(frame[:n]); line != "" {
			lines = append(lines, line)
		}
	}
}

// describeFrame says what a frame carries to where; empty for ICMPv6.
func describeFrame(frame []byte) string {
	const ethernet, ports = 14, 4
	if len(frame) < ethernet+40+ports {
		return fmt.Sprintf("%d bytes: %x", len(frame), frame)
	}
	packet := frame[ethernet:]
	var protocol byte
	var from, to netip.Addr
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_IP:
		protocol, from, to = packet[9], netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
		packet = packet[packet[0]&15*4:]
	case unix.ETH_P_IPV6:
		protocol, from, to = packet[6], netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))
		packet = packet[40:]
		if protocol == unix.IPPROTO_ICMPV6 || protocol == unix.IPPROTO_HOPOPTS {
			return ""
		}
	default:
		return fmt.Sprintf("%d bytes: %x", len(frame), frame)
	}
	port := netip.AddrPortFrom(to, binary.BigEndian.Uint16(packet[2:]))
	if port.Port() == 53 {
		return fmt.Sprintf("from %v, a look-up at %v: %q", from, port, packet[8:])
	}
	return fmt.Sprintf("from %v to %v by protocol %d", from, port, protocol)
}

// nothing fails the test if anything has left.
func (o *outside) nothing(during string) {
	o.t.Helper()
	if left := o.left(); len(left) > 0 {
		o.t.Errorf("%s: %d packets have left:\n%s", during, len(left), strings.Join(left[:min(len(left), 10)], "\n"))
	}
}

// serves starts a kouzui, returns the first line in which it says a text, and
// interrupts it at the end of the test.
func (f *field) serves(text string, arguments ...string) string {
	f.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	c := exec.Command(f.program, arguments...)
	c.Dir, c.Stdout, c.Stderr = f.dir, write, write
	err = c.Start()
	_ = write.Close()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait()
		_ = read.Close()
	})
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			go func() { _, _ = io.Copy(io.Discard, read) }() // until it ends
			return lines.Text()
		}
	}
	f.t.Fatalf("%s ended without saying %q", c, text)
	return ""
}

// TestNothingLeavesThisMachine: whoever tries Kouzui out on one machine tells
// nobody of it. With default flags, and all trackers and given peers at
// loopback addresses, no packet leaves, and no name is looked up.
func TestNothingLeavesThisMachine(t *testing.T) {
	if !namespacesPossible() {
		t.Skip("only root can make network namespaces, with ip, tc and sysctl")
	}
	f := newField(t)
	o := enterOutside(t)
	t.Setenv("HOME", f.dir)
	t.Setenv("KOUZUI_DHT", "") // as by default
	t.Setenv("KOUZUI_NO_PORT_MAPPING", "")
	t.Setenv("XDG_STATE_HOME", filepath.Join(f.dir, "state"))
	does := func(arguments ...string) {
		t.Helper()
		f.ends(f.start(f.hosts[0], arguments...), 0)
		o.nothing(strings.Join(arguments, " "))
	}

	does("demo", "--size", "1M", "--progress", "none")
	does("lab", "simulate", "tiny.toml")
	does("lab", "run", "tiny.toml", "--dir", f.dir)
	does("lab", "experiment", "exp.toml", "--seeds", "2")
	does("lab", "patterns")

	for _, name := range []string{"data", "other"} {
		if err := os.WriteFile(filepath.Join(f.dir, name), bytes.Repeat([]byte(name), 100_000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tracker := f.serves("http://", "tracker", "--listen", "127.0.0.1:0")
	does("create", "data", "--tracker", tracker, "-o", "a.torrent")
	does("info", "a.torrent")
	does("verify", "a.torrent", "-d", ".")
	f.serves("seeding", "seed", "a.torrent", "-d", ".", "--listen-port", "7001")
	does("download", "a.torrent", "-d", "by-tracker")
	does("create", "other", "-o", "b.torrent")
	f.serves("seeding", "seed", "b.torrent", "-d", ".", "--listen-port", "7002", "--dht", "off") // it names nobody
	does("download", "b.torrent", "-d", "by-hand", "--peer", "127.0.0.1:7002")
	torrent, err := metainfo.Parse([]byte(f.read("b.torrent")))
	if err != nil {
		t.Fatal(err)
	}
	does("download", "magnet:?xt=urn:btih:"+torrent.InfoHash.String()+"&x.pe=127.0.0.1:7002", "-d", "by-link", "--allow-private")

	// What leaves is seen, or all of this would show nothing.
	elsewhere := func(want string, arguments ...string) {
		t.Helper()
		_ = f.start(f.hosts[0], arguments...).Wait()
		left := strings.Join(o.left(), "\n")
		for one := range strings.SplitSeq(want, ", ") {
			if !strings.Contains(left, one) {
				t.Errorf("%s: what has left has no %q:\n%s", strings.Join(arguments, " "), one, left)
			}
		}
	}
	t.Setenv("KOUZUI_DHT", noDHT)
	elsewhere(`kouzui\aexample`, "download", "http://kouzui.example/a.torrent", "-d", "lookup")
	elsewhere("to 192.0.2.7:6881", "download", "a.torrent", "-d", "dial", "--peer", "192.0.2.7:6881", "--tracker", tracker)
	elsewhere("to [2001:db8::7]:6881", "download", "a.torrent", "-d", "dial6", "--peer", "[2001:db8::7]:6881")
	elsewhere("to 239.255.255.250:1900, to 10.99.0.1:5351", "download", "a.torrent", "-d", "mapped", "--peer", "192.0.2.7:6881", "--max-download-limit", "300K")
}
