//go:build !linux

package real

import "kouzui/messages"

// sender does not exist here: all payload is copied.
type sender struct{}

func newSender(*writer) *sender { return nil }

func (*sender) send([]messages.Outgoing) error { return nil }
