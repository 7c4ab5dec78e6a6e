//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/wire/frame"
	"kouzui/wire/metainfo"
)

// crowd is peers that send a handshake, a bitfield and Interested, and then
// neither send nor read. What Kouzui sends to them stays in the kernel, so that
// they take no processor time from what is measured.
type crowd struct {
	addr    string
	torrent *metainfo.Torrent
	conns   []net.Conn
}

const (
	// joining is how many peers of the crowd connect at a time: fewer than Kouzui
	// lets wait for their handshake.
	joining = 32
	// greetWithin is how long a handshake may take, with all others that wait to
	// be accepted before it.
	greetWithin = 5 * time.Minute
)

// grow makes the crowd n peers large.
func (c *crowd) grow(ctx context.Context, n int) error {
	all := make([]net.Conn, n)
	var group errgroup.Group
	group.SetLimit(joining)
	for i := copy(all, c.conns); i < n; i++ {
		group.Go(func() (err error) {
			all[i], err = c.join(ctx, i)
			return err
		})
	}
	err := group.Wait()
	for _, conn := range all[len(c.conns):] {
		if conn != nil {
			c.conns = append(c.conns, conn)
		}
	}
	return err
}

// join connects the i-th of the crowd, from an address of its own.
func (c *crowd) join(ctx context.Context, i int) (net.Conn, error) {
	from := net.IPv4(127, 250, byte(i/250), byte(1+i%250))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	conn, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	rnd := rand.New(rand.NewPCG(1, uint64(i)))
	h := frame.Handshake{InfoHash: c.torrent.InfoHash}
	copy(h.PeerID[:], fmt.Sprintf("-XX0000-%012d", i))
	hello := h.Append(nil)
	hello = frame.AppendHeader(hello, frame.Frame{Kind: frame.Bitfield, Bits: half(rnd, c.torrent.PieceCount())})
	hello = frame.AppendHeader(hello, frame.Frame{Kind: frame.Interested})
	if err = conn.SetDeadline(time.Now().Add(greetWithin)); err == nil {
		_, err = conn.Write(hello)
	}
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, frame.HandshakeLen))
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("peer %d of the crowd: %w", i, err)
	}
	return conn, nil
}

// half is a bitfield that has each piece with a probability of one half.
func half(rnd *rand.Rand, pieces int) []byte {
	bits := make([]byte, (pieces+7)/8)
	for i := range pieces {
		if rnd.IntN(2) == 0 {
			frame.SetBit(bits, i)
		}
	}
	return bits
}

// lose makes the whole crowd send NotInterested.
func (c *crowd) lose() error {
	bored := frame.AppendHeader(nil, frame.Frame{Kind: frame.NotInterested})
	for _, conn := range c.conns {
		if _, err := conn.Write(bored); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
}
