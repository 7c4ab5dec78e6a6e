package fake

import (
	"net/netip"

	"kouzui/actors/world"
)

// Web is a world.Web whose clients are the test.
type Web struct{ sites queue[*Site] }

// Site is one served address.
type Site struct {
	*Listener
	Limits world.WebLimits
	handle func(world.WebRequest, func(world.WebResponse))
}

// Serve implements world.Web.
func (w *Web) Serve(addr string, limits world.WebLimits, handle func(world.WebRequest, func(world.WebResponse)), failed func(error)) (world.Listener, error) {
	s := &Site{Listener: newListener(addr, failed), Limits: limits, handle: handle}
	w.sites.put(s)
	return s, nil
}

// AwaitSite waits for a Serve and takes it off the list.
func (w *Web) AwaitSite() *Site { return w.sites.next() }

// Get sends a request and waits for the answer.
func (s *Site) Get(remote netip.AddrPort, path, query string) world.WebResponse {
	answer := make(chan world.WebResponse, 1)
	var first once
	s.handle(world.WebRequest{Remote: remote, Path: path, Query: query}, func(r world.WebResponse) {
		if first.take() {
			answer <- r
		}
	})
	return <-answer
}
