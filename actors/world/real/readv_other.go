//go:build !linux && !darwin

package real

import "net"

const scatter = false

// socket reads a connection into the one slice that offer returns.
type socket struct {
	conn  *net.TCPConn
	offer func() [][]byte
}

func newSocket(conn *net.TCPConn, offer func() [][]byte, _ func()) (*socket, error) {
	return &socket{conn, offer}, nil
}

func (s *socket) read() (int, error) { return s.conn.Read(s.offer()[0]) }
