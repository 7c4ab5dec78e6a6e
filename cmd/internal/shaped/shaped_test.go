//go:build linux

package shaped

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A network lies in namespaces of the test's thread, which ends with the test.
func TestNetwork(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make network namespaces")
	}
	for _, program := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread is not used again
		if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
			t.Log("not permitted:", err)
			return
		}
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Error(err)
			return
		}
		checkNetwork(t)
	}()
	<-done
}

func checkNetwork(t *testing.T) {
	n, err := New([]Link{{Up: 1_000_000, Down: 5_000_000}, {Up: 250_000, Down: 5_000_000}})
	if err != nil {
		t.Error(err)
		return
	}
	defer func() {
		n.Close()
		left, err := exec.Command("ip", "-br", "link").Output()
		names, _ := os.ReadDir(names)
		if err != nil || strings.Count(string(left), "\n") > 1 || len(names) > 0 { // its loopback
			t.Errorf("left behind: %s %v, %v", left, names, err)
		}
	}()
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
	if _, err := conn.Write(make([]byte, n)); err != nil {
		return err
	}
	_, err = io.ReadFull(other, make([]byte, n))
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
