package described

import "kouzui/wire/buffer"

// Memory is where described blocks lie, over each other: each begins so many
// bytes after the one before as are its own. It is for one goroutine at a time.
type Memory struct {
	rest []byte
}

// slots is how many blocks begin in one allocation, which is garbage with the
// last of them.
const slots = 4 << 10

// Pool returns a pool of such blocks.
func (m *Memory) Pool(keep int) *buffer.Pool { return buffer.NewPoolOf(keep, Own, m.block) }

func (m *Memory) block() []byte {
	if len(m.rest) < buffer.Size {
		m.rest = make([]byte, (slots-1)*Own+buffer.Size)
	}
	b := m.rest[:buffer.Size:buffer.Size]
	m.rest = m.rest[Own:]
	return b
}
