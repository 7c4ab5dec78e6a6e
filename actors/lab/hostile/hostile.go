// Package hostile plays peers that mean harm: what each sends, and in which
// order, is a Script. Tests run scripts against a client, over real connections
// or over those of a simulated network (see Threads), and check that the client
// goes on, keeps to its bounds, and gets its data from other peers.
//
// Over real connections, peers and trackers have the sockets and the time of
// the machine, and no world: they stand for other programs.
//
// Nothing here checks anything: a script ends when the other side has closed
// the connection, or when its context ends.
package hostile

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// Conn is the script's end of a connection. Sending does not fail: when the
// other side has closed the connection, Open returns false.
type Conn struct {
	io.ReadWriteCloser
	Torrent *metainfo.Torrent
	ID      [20]byte
	Rand    *rand.Rand

	threads Threads
	failed  bool
	in      *bufio.Reader
}

// Script is one way to do harm.
type Script struct {
	Name string
	// Ends says that a client must close the connection, within seconds.
	Ends bool
	Act  func(*Conn)
}

// Threads is what a script runs on: goroutines and the time of the machine, or
// coroutines and virtual time.
type Threads interface {
	// Go runs f beside the script.
	Go(f func())
	// Wait returns after d, with false if the script is to end.
	Wait(d time.Duration) bool
	// Open tells whether the script is not to end.
	Open() bool
}

// Play plays a script on a connection, and closes the connection when the
// script has ended. The seed decides all that is random, such as the peer id.
func (s Script) Play(on Threads, conn io.ReadWriteCloser, t *metainfo.Torrent, seed uint64) {
	defer conn.Close()
	c := &Conn{ReadWriteCloser: conn, Torrent: t, Rand: rand.New(rand.NewPCG(seed, 0)), threads: on, in: bufio.NewReader(conn)}
	copy(c.ID[:], "-XX0000-")
	for i := 8; i < 20; i++ {
		c.ID[i] = byte(c.Rand.Uint32())
	}
	s.Act(c)
}

// Run connects to a client and plays a script. If from is valid, it connects
// from that address of this machine. It returns when the script has ended, and
// whether the other side ended it. The seed decides all that is random, such as
// the peer id.
func Run(ctx context.Context, t *metainfo.Torrent, from netip.Addr, to netip.AddrPort, s Script, seed uint64) (closed bool, err error) {
	dialer := net.Dialer{}
	if from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	conn, err := dialer.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return false, err
	}
	play(ctx, conn, t, s, seed)
	return ctx.Err() == nil, nil
}

// Listen plays a script with everybody who connects, until ctx ends.
func Listen(ctx context.Context, t *metainfo.Torrent, host string, s Script) (netip.AddrPort, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return netip.AddrPort{}, err
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for seed := uint64(addr.Port()) << 32; ; seed++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go play(ctx, conn, t, s, seed)
		}
	}()
	return addr, nil
}

func play(ctx context.Context, conn net.Conn, t *metainfo.Torrent, s Script, seed uint64) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	s.Play(until{ctx}, conn, t, seed)
}

// until is Threads of goroutines and real time, which end with a context.
type until struct{ context.Context }

func (until) Go(f func()) { go f() }

func (u until) Open() bool { return u.Err() == nil }

func (u until) Wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-u.Done():
		return false
	}
}

// Open tells whether the connection is still open, as far as the script can
// know.
func (c *Conn) Open() bool { return !c.failed && c.threads.Open() }

// Raw sends bytes.
func (c *Conn) Raw(b ...byte) {
	if _, err := c.Write(b); err != nil {
		c.failed = true
	}
}

// Shake sends a handshake that offers some features, and reads that of the
// other side.
func (c *Conn) Shake(offers ...frame.Feature) {
	h := frame.Handshake{InfoHash: c.Torrent.InfoHash, PeerID: c.ID}
	for _, f := range offers {
		h.Offer(f)
	}
	c.Raw(h.Append(nil)...)
	if _, err := c.in.Discard(frame.HandshakeLen); err != nil {
		c.failed = true
	}
}

// Send sends frames. The payload of a piece is zeros.
func (c *Conn) Send(frames ...frame.Frame) {
	var b []byte
	for _, f := range frames {
		b = frame.AppendHeader(b, f)
		if f.Kind == frame.Piece {
			b = append(b, make([]byte, f.Length)...)
		}
	}
	c.Raw(b...)
}

// Flood sends frames over and over, and reads what comes, until the connection
// has ended.
func (c *Conn) Flood(frames ...frame.Frame) {
	c.threads.Go(c.drain)
	for c.Open() {
		for range 100 {
			c.Send(frames...)
		}
	}
}

// Linger reads what comes until the connection has ended.
func (c *Conn) Linger() {
	c.drain()
	c.failed = true
}

func (c *Conn) drain() {
	var b [4096]byte
	for {
		if _, err := c.in.Read(b[:]); err != nil {
			return
		}
	}
}

// Wait waits for d; false means that the script has to end.
func (c *Conn) Wait(d time.Duration) bool { return c.threads.Wait(d) && c.Open() }

// everything is the bitfield of a seed.
func (c *Conn) everything() frame.Frame {
	n := c.Torrent.PieceCount()
	bits := make([]byte, (n+7)/8)
	for i := range n {
		frame.SetBit(bits, i)
	}
	return frame.Frame{Kind: frame.Bitfield, Bits: bits}
}

// next returns the next frame, or false when the connection has ended.
func (c *Conn) next() (kind frame.Kind, payload []byte, ok bool) {
	var head [4]byte
	for {
		if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return 0, nil, false
		}
		length := binary.BigEndian.Uint32(head[:])
		if length == 0 {
			continue
		}
		body := make([]byte, min(length, 1<<20))
		if _, err := io.ReadFull(c.in, body); err != nil {
			return 0, nil, false
		}
		return frame.Kind(body[0]), body[1:], true
	}
}
