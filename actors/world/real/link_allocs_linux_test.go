//go:build !race

package real

import (
	"testing"

	"kouzui/messages"
	"kouzui/wire/buffer"
)

// No memory is allocated for a block, in whatever way it goes. With
// the race detector, pools lose some of what they are given.
func TestSendingAllocatesNothing(t *testing.T) {
	l, conn := rawPair(t)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		buf := make([]byte, 1<<18)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}()
	const blocks = 16
	m := random(blocks * buffer.Size)
	source := newOnDisk(t, m, len(m.data))
	var out []messages.Outgoing
	for i := range blocks {
		out = append(out, m.piece(i*buffer.Size, buffer.Size))
		out[i].Source = source.file.(messages.SocketSource)
	}
	measure := func(how any) {
		w := &writer{link: l}
		allocs := testing.AllocsPerRun(50, func() {
			if err := w.writeAll(nil, out); err != nil {
				t.Error(err)
			}
		})
		// Reports allocate: there is one for every 32 blocks, and one before each
		// wait.
		if allocs > 2 {
			t.Errorf("%.0f allocations for %d blocks, %v", allocs, blocks, how)
		}
	}
	for _, w := range allWays {
		l.sendBy(w)
		measure(w)
	}
	_, l.out = ciphers()
	measure("encrypted")
	l.Close(nil)
	<-drained
	conn.Close()
}
