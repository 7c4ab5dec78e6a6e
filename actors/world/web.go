package world

import (
	"net/netip"
	"time"
)

// Web answers HTTP requests.
type Web interface {
	// Serve binds addr ("host:port"; port 0 for any free one) and calls handle for
	// every GET, many at a time. The handler calls respond once, from any
	// goroutine; later calls, and those after the time limit, do nothing. failed
	// is called at most once, when serving has ended because of an error.
	Serve(addr string, limits WebLimits, handle func(r WebRequest, respond func(WebResponse)), failed func(error)) (Listener, error)
}

// WebLimits bounds what clients can make a server spend.
type WebLimits struct {
	Conns   int           // open at a time; of the host that has the most, who has waited longest makes room
	Query   int           // bytes of a request's query; a longer one is refused
	Header  time.Duration // for the header of a request to arrive
	Timeout time.Duration // for a request to arrive, and then for respond to be called
	// Late is the answer if respond was not called in time.
	Late WebResponse
}

// WebRequest is one GET.
type WebRequest struct {
	Remote netip.AddrPort // unmapped
	Path   string         // unescaped
	Query  string         // as it came
	// Forwarded is the header X-Forwarded-For, "" if there is none. Anybody can
	// write it: only that of a known proxy means anything.
	Forwarded string
}

// WebResponse is the answer to a WebRequest.
type WebResponse struct {
	Status int // 0 stands for 200
	Type   string
	Body   []byte
}
