package described

import "kouzui/wire/buffer"

// Memory allocates described blocks so that they overlap: each begins Own bytes
// after the one before. It is for one goroutine at a time.
type Memory struct {
	rest []byte
}

// slots is how many blocks share one allocation, which is freed with the last
// of them.
const slots = 4 << 10

// Pool returns a pool of described blocks.
func (m *Memory) Pool(keep int) *buffer.Pool { return buffer.NewPoolOf(keep, Own, m.block) }

func (m *Memory) block() []byte {
	if len(m.rest) < buffer.Size {
		m.rest = make([]byte, (slots-1)*Own+buffer.Size)
	}
	b := m.rest[:buffer.Size:buffer.Size]
	m.rest = m.rest[Own:]
	return b
}
