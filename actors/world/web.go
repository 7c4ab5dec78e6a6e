package world

import (
	"net/netip"
	"time"
)

// Web answers HTTP requests.
type Web interface {
	// Serve binds addr ("host:port", port 0 for any free one) and hands every GET
	// to handle, many at a time. respond is called once, from any goroutine; later
	// calls, and those after the limit of time, do nothing. failed is called at
	// most once, when serving ends by itself.
	Serve(addr string, limits WebLimits, handle func(r WebRequest, respond func(WebResponse)), failed func(error)) (Listener, error)
}

// WebLimits bounds what clients can cost.
type WebLimits struct {
	Conns   int           // open at a time; more wait in the kernel's queue
	Query   int           // bytes of a request's query; a longer one is refused
	Timeout time.Duration // for a request to arrive, and then for respond
	// Late answers in place of a respond that did not come in time.
	Late WebResponse
}

// WebRequest is one GET.
type WebRequest struct {
	Remote netip.AddrPort // unmapped
	Path   string         // unescaped
	Query  string         // as it came
}

// WebResponse answers it.
type WebResponse struct {
	Status int // 0 stands for 200
	Type   string
	Body   []byte
}
