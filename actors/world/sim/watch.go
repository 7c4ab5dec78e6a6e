package sim

// Watcher is told of the messages of a host's actors, in mailboxes that
// Host.Mailbox makes.
type Watcher interface {
	// Sent is called with a message that is being sent. It returns the message
	// that is put into the mailbox; nil drops it.
	Sent(to string, message any) any
	// Handled is called with a message that an actor is about to handle.
	Handled(by string, message any)
}

// Watch sets the watcher of the host; nil removes it.
func (h *Host) Watch(w Watcher) { h.watcher = w }
