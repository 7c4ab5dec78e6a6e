package real

import (
	"time"

	"golang.org/x/sys/unix"
)

// gather waits until gatherBytes have arrived, or for gatherTime. Meanwhile
// what arrives wakes no thread, since the system does not report a socket as
// readable that holds less than SO_RCVLOWAT. Nothing that the peer does can
// stall the link: the wait is bounded, and the option is taken back after it.
func (s *socket) gather() {
	_ = s.raw.Control(raiseLowWater)
	if s.conn.SetReadDeadline(time.Now().Add(gatherTime)) == nil {
		_ = s.raw.Read(s.look) // what ended the wait, the next read finds out
		_ = s.conn.SetReadDeadline(time.Time{})
	}
	_ = s.raw.Control(resetLowWater)
}

func raiseLowWater(fd uintptr) { setLowWater(fd, gatherBytes) }
func resetLowWater(fd uintptr) { setLowWater(fd, 1) }

// setLowWater sets from how many bytes on the socket counts as readable. Where
// that fails, each arrival ends the wait.
func setLowWater(fd uintptr, bytes int) {
	_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes)
}
