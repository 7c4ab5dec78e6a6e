package sim

// Watcher sees the messages of a host's actors, between which in this world
// nothing happens. It sees only those in mailboxes that Host.Mailbox makes.
type Watcher interface {
	// Sent sees a message on its way to a mailbox. What it returns gets there;
	// nil: nothing does.
	Sent(to string, message any) any
	// Handled sees a message that an actor is about to handle.
	Handled(by string, message any)
}

// Watch has somebody see the messages from now on; nil: nobody.
func (h *Host) Watch(w Watcher) { h.watcher = w }
