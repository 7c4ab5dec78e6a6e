package peers

import (
	"net/netip"

	"kouzui/messages"
	"kouzui/wire/mse"
)

// Whether a dial is encrypted is decided for each address. What a peer wants is
// found out by trying: one that does not speak as it is spoken to ends the
// connection before its handshake, and is dialled again in the other way at
// once. Each dial is a new connection: nothing of the one before is used.

// encrypts tells whether the first dial to an address is encrypted.
func (c *candidates) encrypts(a messages.PeerAddr) bool {
	switch c.policy {
	case messages.NoEncryption:
		return false
	case messages.PreferEncryption, messages.RequireEncryption:
		return true
	}
	return a.Encrypts
}

// encryption is what is offered with the next dial to an address; 0: it is not
// encrypted.
func (c *candidates) encryption(addr netip.AddrPort) mse.Methods {
	if x := c.all[addr]; x != nil && x.encrypts {
		return c.policy.Methods()
	}
	return 0
}

// turn tells whether a candidate is to be dialled at once in the other way. It
// is, unless it was connected in this one, or has refused the other one too.
func (c *candidates) turn(x *candidate, why messages.GoneReason) bool {
	refused := why == messages.GoneCut || x.encrypts && why == messages.GoneHandshake
	if !refused || x.known || c.policy == messages.NoEncryption || c.policy == messages.RequireEncryption {
		return false
	}
	x.encrypts, x.turned = !x.encrypts, !x.turned
	return x.turned
}
