package dispatch

// newSingle returns the dispatcher of a single goroutine: as long as one
// mailbox has messages, no other is run.
func newSingle() *Workers {
	w := &Workers{alone: true}
	w.wg.Add(1)
	go w.work(true)
	return w
}
