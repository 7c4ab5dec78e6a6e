//go:build linux

package shaped

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// alone gives a test namespaces of its own.
func alone(t *testing.T) {
	if err := EnterThread(); err != nil {
		t.Skip(err)
	}
}

func TestNetwork(t *testing.T) {
	alone(t)
	n, err := New([]Link{{Up: 1_000_000, Down: 5_000_000}, {Up: 250_000, Down: 5_000_000}})
	if err != nil {
		t.Error(err)
		return
	}
	defer closes(t, n)
	for i, want := range []string{"rate 8Mbit burst 5000b", "rate 2Mbit burst 3200b"} {
		out, err := exec.Command("tc", "-n", n.Hosts[i].namespace, "qdisc", "show", "dev", "home").Output()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("the uplink of host %d is %s, %v; want %s", i, out, err, want)
		}
	}
	// All know where the others are, and ask nobody.
	for _, where := range [][]string{{"-n", n.Hosts[0].namespace}, {}} {
		out, err := exec.Command("ip", append(where, "neigh", "show", "nud", "permanent")...).Output()
		if err != nil || strings.Count(string(out), "\n") != 2 {
			t.Errorf("known beforehand: %s, %v; want two others", out, err)
		}
	}
	// One host sends to the other, and each byte is counted at both, but for what
	// frames have more or less of headers than most.
	const sent, least, most = 100_000, 99_900, 110_000
	if err := transfer(&n.Hosts[0], &n.Hosts[1], sent); err != nil {
		t.Error(err)
		return
	}
	from, err := n.Hosts[0].Carried()
	to, e := n.Hosts[1].Carried()
	if err := errors.Join(err, e); err != nil || min(from.Sent, to.Received) < least || max(from.Sent, to.Received) > most {
		t.Errorf("carried %+v and %+v, %v", from, to, err)
	}
	if err := shares(&n.Hosts[0], &n.Hosts[1]); err != nil {
		t.Error(err)
	}
}

// closes closes a network, of which nothing may stay.
func closes(t *testing.T, n *Network) {
	n.Close()
	left, err := exec.Command("ip", "-br", "link").Output()
	names, _ := os.ReadDir(names)
	if err != nil || strings.Count(string(left), "\n") > 1 || len(names) > 0 { // its loopback
		t.Errorf("left behind: %s %v, %v", left, names, err)
	}
}

// TestNamesStayInside: what is outside sees no namespace of a network, neither
// of the first one that a process makes nor of another.
func TestNamesStayInside(t *testing.T) {
	for range 2 {
		made, seen := make(chan string), make(chan bool)
		go func() {
			defer close(made)
			if err := EnterThread(); err != nil {
				t.Log(err)
				return
			}
			n, err := New([]Link{{}})
			if err != nil {
				t.Error(err)
				return
			}
			defer n.Close()
			made <- n.Hosts[0].namespace
			<-seen
		}()
		name, ok := <-made
		if !ok {
			t.Skip("no network can be made")
		}
		if _, err := os.Stat(filepath.Join(names, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is seen outside: %v", name, err)
		}
		close(seen)
		<-made
	}
}

// TestFar: what hosts far from each other send takes its time, and arrives as
// it was sent, but for what a cut separates.
func TestFar(t *testing.T) {
	alone(t)
	const near, far = 10 * time.Millisecond, 20 * time.Millisecond
	n, err := NewFar([]Link{{Delay: near, Up: 1_000_000}, {Delay: far}, {Delay: far, Jitter: far, Loss: 0.01}})
	if err != nil {
		t.Error(err)
		return
	}
	defer closes(t, n)
	began := time.Now()
	conn, other, err := connect(&n.Hosts[0], &n.Hosts[1])
	if err != nil {
		t.Error(err)
		return
	}
	conn.Close()
	other.Close()
	if took := time.Since(began); took < 2*(near+far) {
		t.Errorf("a round trip took %v, and the link alone takes %v", took, 2*(near+far))
	}
	for from := range n.Hosts {
		for to := range n.Hosts {
			if from == to {
				continue
			}
			if err := transfer(&n.Hosts[from], &n.Hosts[to], 100_000); err != nil {
				t.Errorf("from %d to %d: %v", from, to, err)
			}
		}
	}
	whole := func(host int) int { return 0 }
	apart := func(host int) int { return host % 2 }
	for _, c := range []struct {
		side func(int) int
		want string
	}{{whole, "during"}, {apart, "after"}} {
		if got, err := cutOff(n, c.side); err != nil || got != c.want {
			t.Errorf("%q is heard first, %v; want %q", got, err, c.want)
		}
	}
}

// cutOff is what host 1 hears first of what host 0 sends during a cut and after
// that.
func cutOff(n *Network, side func(int) int) (string, error) {
	var at net.PacketConn
	err := n.Hosts[1].inside(func() (err error) {
		at, err = net.ListenPacket("udp", net.JoinHostPort(n.Hosts[1].Addr.String(), "0"))
		return err
	})
	if err != nil {
		return "", err
	}
	defer at.Close()
	conn, err := n.Hosts[0].Dial(context.Background(), "udp", at.LocalAddr().String())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	n.Cut(side)
	if _, err := conn.Write([]byte("during")); err != nil {
		return "", err
	}
	// It has arrived, or was lost, when a connection that was begun later is made
	// to a host that is no nearer.
	if conn, other, err := connect(&n.Hosts[0], &n.Hosts[2]); err != nil {
		return "", err
	} else {
		conn.Close()
		other.Close()
	}
	n.Cut(nil)
	if _, err := conn.Write([]byte("after")); err != nil {
		return "", err
	}
	room := make([]byte, 100)
	got, _, err := at.ReadFrom(room)
	return string(room[:got]), err
}

// shares has one host send to the other on two connections, of which the second
// is made when the first has filled the link. The first must not be given much
// more.
func shares(from, to *Host) error {
	const busy, watched, most = 300_000, 1_000_000, 5
	conn, first, err := connect(from, to)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer first.Close()
	fill := func(conn net.Conn) {
		for {
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	go fill(conn)
	if _, err := io.CopyN(io.Discard, first, busy); err != nil {
		return err
	}
	conn, second, err := connect(from, to)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer second.Close()
	go fill(conn)
	var taken atomic.Int64
	go func() {
		room := make([]byte, 16<<10)
		for {
			n, err := first.Read(room)
			if taken.Add(int64(n)); err != nil {
				return
			}
		}
	}()
	_, err = io.CopyN(io.Discard, second, watched)
	if n := taken.Load(); n > most*watched {
		return fmt.Errorf("the first connection carries %d bytes while the second carries %d", n, watched)
	}
	return err
}

// transfer sends bytes from one host to the other.
func transfer(from, to *Host, n int) error {
	conn, other, err := connect(from, to)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer other.Close()
	sent, got := make([]byte, n), make([]byte, n)
	for i := range sent {
		sent[i] = byte(i * i >> 8)
	}
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	if _, err = io.ReadFull(other, got); err == nil && !bytes.Equal(sent, got) {
		err = errors.New("other bytes have come")
	}
	return err
}

// connect connects one host to a server of the other, and returns both ends.
func connect(from, to *Host) (conn, other net.Conn, err error) {
	var l net.Listener
	err = to.inside(func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(to.Addr.String(), "0"))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	if conn, err = from.Dial(context.Background(), "tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if other, err = l.Accept(); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, other, nil
}

// Without what it needs, Enter says so; a network of somebody else is not taken
// for one of its own.
func TestEnterIsRefused(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv(inside, "net:[1]")
	want := "ip is not installed"
	if os.Geteuid() != 0 {
		want = "only root can"
	}
	if err := Enter(); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want %s", err, want)
	}
}
