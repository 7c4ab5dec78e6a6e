//go:build !linux && !darwin

package real

import "net"

const scatter = false

// socket reads a connection into the single slice that the reader offers.
type socket struct {
	conn   *net.TCPConn
	reader *reader
}

func newSocket(conn *net.TCPConn, r *reader) *socket { return &socket{conn, r} }

func (s *socket) read() (int, error) { return s.conn.Read(s.reader.offer()[0]) }

func (s *socket) wait() error { return nil }
