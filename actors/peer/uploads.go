package peer

import (
	"slices"

	"kouzui/messages"
)

const (
	// maxUploads is how many requests of a peer wait at a time; what it asks
	// beyond is ignored, and it has to ask again.
	maxUploads = 2000
	// handOver is how many bytes are with the link at a time. Until a block is
	// there its cancel works.
	handOver = 1 << 20
	// batch is how many blocks are loaded at a time.
	batch = 64
)

// uploads are the blocks that the other side has asked for: queued, then being
// looked up in the store, then with the link.
type uploads struct {
	queue   []messages.Block
	loading int   // blocks of the lookup that is under way
	handed  int64 // bytes with the link
	dropped bool  // what is being looked up is not wanted any more
}

// request queues a block; false means that there is no room.
func (u *uploads) request(b messages.Block) bool {
	if len(u.queue) >= maxUploads {
		return false
	}
	u.queue = append(u.queue, b)
	return true
}

func (u *uploads) cancel(b messages.Block) {
	if i := slices.Index(u.queue, b); i >= 0 {
		u.queue = slices.Delete(u.queue, i, i+1)
	}
}

// clear forgets what is not with the link yet, as our choke does.
func (u *uploads) clear() {
	u.queue = nil
	u.dropped = u.loading > 0
}

// next takes the blocks to be looked up now, of up to bytes. One lookup is under
// way at a time.
func (u *uploads) next(bytes int) []messages.Block {
	if u.loading > 0 || u.handed >= handOver || len(u.queue) == 0 {
		return nil
	}
	n, room := 0, int(handOver-u.handed)
	for n < min(len(u.queue), batch) {
		length := int(u.queue[n].Length)
		if n > 0 && room < length || bytes < length {
			break
		}
		room -= length
		bytes -= length
		n++
	}
	if n == 0 {
		return nil
	}
	blocks := slices.Clone(u.queue[:n])
	u.queue = slices.Delete(u.queue, 0, n)
	u.loading = n
	return blocks
}

// loaded ends the lookup; false means that its blocks are not to be sent.
func (u *uploads) loaded() bool {
	wanted := !u.dropped
	u.loading, u.dropped = 0, false
	return wanted
}
