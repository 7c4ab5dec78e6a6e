package observe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	// maxViewers is how many pages may be open at a time.
	maxViewers = 16
	// pace is the least time between two frames; changes in between go into one
	// frame.
	pace = 125 * time.Millisecond
)

// stream sends frames as server-sent events: first all there is, then what has
// changed, never faster than pace or than the page takes them. A page that
// comes back gets all there is once more.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.viewers <- struct{}{}:
		defer func() { <-s.viewers }()
	default:
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	control := http.NewResponseController(w)
	send := func(format string, args ...any) error {
		if err := control.SetWriteDeadline(time.Now().Add(requestTimeout)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return control.Flush()
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	if send("retry: 1000\n\n") != nil {
		return
	}
	for seen, last := uint64(0), false; ; {
		f, more := s.model.frame(seen, time.Now())
		seen = f.version
		f.Program = "kouzui " + s.Version
		data, err := json.Marshal(f)
		if err != nil || send("data: %s\n\n", data) != nil {
			return
		}
		if last {
			_ = send("event: end\ndata: {}\n\n")
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		case <-s.ended:
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		case <-s.ended:
			last = true
		}
	}
}
