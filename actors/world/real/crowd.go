package real

import "sync"

// keptShare is the part of the connections, one in keptShare, that is kept for
// those that we dial.
const keptShare = 5

// crowd counts the connections of the process.
type crowd struct {
	most int // 0: no limit

	mu       sync.Mutex
	open, in int // in all, and those that came in
}

// enter counts one more connection, or returns false if there is no room for
// it.
func (c *crowd) enter(inbound bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most > 0 && (c.open >= c.most || inbound && c.in >= max(c.most-c.most/keptShare, 1)) {
		return false
	}
	c.open++
	if inbound {
		c.in++
	}
	return true
}

func (c *crowd) leave(inbound bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if inbound {
		c.in--
	}
}
