package fake

import (
	"sync"

	"kouzui/actors/world"
	"kouzui/wire/buffer"
)

// Fetcher is a world.Fetcher whose servers are the test.
type Fetcher struct {
	calls queue[*Fetch]

	mu   sync.Mutex
	open int
}

// Fetch is one call to a server.
type Fetch struct {
	world.FetchRange
	From world.Origin

	pool      *buffer.Pool
	once      once
	deliver   func([]*buffer.Block)
	done      func(error)
	delivered int // chunks
}

// Open implements world.Fetcher.
func (f *Fetcher) Open(from world.Origin) world.FetchClient {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open++
	return &fetchClient{fetcher: f, from: from}
}

// Opened is how many clients are open.
func (f *Fetcher) Opened() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// AwaitFetch waits for a fetch and takes it off the list.
func (f *Fetcher) AwaitFetch() *Fetch { return f.calls.next() }

// Waiting is how many fetches AwaitFetch would give without waiting.
func (f *Fetcher) Waiting() int { return f.calls.len() }

type fetchClient struct {
	fetcher *Fetcher
	from    world.Origin
	last    *Fetch
}

// Fetch implements world.FetchClient.
func (c *fetchClient) Fetch(r world.FetchRange, deliver func([]*buffer.Block), done func(error)) (cancel func()) {
	call := &Fetch{FetchRange: r, From: c.from, pool: buffer.NewPool(0), deliver: deliver, done: done}
	c.last = call
	c.fetcher.calls.put(call)
	return func() { call.once.take() }
}

// Close implements world.FetchClient.
func (c *fetchClient) Close() {
	if c.last != nil {
		c.last.once.take()
	}
	c.fetcher.mu.Lock()
	defer c.fetcher.mu.Unlock()
	c.fetcher.open--
}

// Send delivers the next chunks that these bytes, which follow those sent
// before, fill; it does nothing after the call was cancelled or has ended.
func (c *Fetch) Send(data []byte) {
	var blocks []*buffer.Block
	for c.delivered < len(c.Chunks) && len(data) >= c.Chunks[c.delivered] {
		n := c.Chunks[c.delivered]
		b := c.pool.Get()
		b.SetLen(n)
		copy(b.Bytes(), data)
		data = data[n:]
		blocks = append(blocks, b)
		c.delivered++
	}
	if len(blocks) > 0 && !c.Over() {
		c.deliver(blocks)
	}
}

// End answers the call: nil if all was sent. False means that it was cancelled
// or answered before.
func (c *Fetch) End(err error) bool {
	first := c.once.take()
	if first {
		c.done(err)
	}
	return first
}

// Over tells whether the call was cancelled or answered.
func (c *Fetch) Over() bool {
	c.once.mu.Lock()
	defer c.once.mu.Unlock()
	return c.once.done
}
