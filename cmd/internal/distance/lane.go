//go:build linux

package distance

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxPackets = 16 << 10 // on their way, each way
	// maxPacket is the largest packet that offloading makes, with the header that
	// describes it.
	maxPacket = offloadHeader + 64<<10
	// offloadHeader is the length of a virtio_net_hdr.
	offloadHeader = 10
)

// lane is one direction of a wire.
type lane struct {
	from, to     *os.File
	delay        time.Duration
	rate, buffer int64
	carried      atomic.Int64 // bytes delivered
	dropped      *atomic.Int64
	closed       chan struct{}
	packets      chan packet
}

type packet struct {
	data []byte
	due  time.Time
}

// take reads packets and decides when each of them is due, until the device is
// closed.
func (l *lane) take() {
	defer close(l.packets)
	buf := make([]byte, maxPacket)
	var free time.Time // when the wire has sent what was given to it
	for {
		n, err := l.from.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		if free.Before(now) {
			free = now
		}
		if l.bytes(free.Sub(now)) > l.buffer {
			l.dropped.Add(1)
			continue
		}
		free = free.Add(time.Duration(int64(n-offloadHeader) * int64(time.Second) / l.rate))
		select {
		case l.packets <- packet{append([]byte(nil), buf[:n]...), free.Add(l.delay)}:
		default:
			l.dropped.Add(1)
		}
	}
}

func (l *lane) bytes(d time.Duration) int64 { return int64(d.Seconds() * float64(l.rate)) }

// deliver writes packets when they are due.
func (l *lane) deliver() {
	for p := range l.packets {
		if wait := time.Until(p.due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-l.closed:
				return
			}
		}
		if _, err := l.to.Write(p.data); err != nil {
			l.dropped.Add(1) // its end is down
			continue
		}
		l.carried.Add(int64(len(p.data) - offloadHeader))
	}
}

// openTUN makes a device whose packets are as large as offloading makes them:
// TCP has not cut them into segments yet, or they have been joined again.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, unix.TUN_F_CSUM|unix.TUN_F_TSO4|unix.TUN_F_TSO6)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
