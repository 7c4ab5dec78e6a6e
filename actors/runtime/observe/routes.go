package observe

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxForm bounds the body of a POST in bytes.
const maxForm = 4 << 10

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(thePage().html)
	})
	mux.HandleFunc("GET /events", lasting(s.stream))
	mux.HandleFunc("GET /actor", s.actor)
	mux.HandleFunc("POST /kill", s.kill)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", lasting(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", lasting(pprof.Trace))
	mux.HandleFunc("GET /debug/pprof/{name}", lasting(func(w http.ResponseWriter, r *http.Request) {
		pprof.Handler(r.PathValue("name")).ServeHTTP(w, r)
	}))
	return mux
}

// lasting is for answers that take long, such as profiles. It lifts the
// deadline for reading the request, which by then has been read, and which
// would end the answer: net/http also uses it to notice that the client has
// gone.
func lasting(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
			return // the connection is lost
		}
		answer(w, r)
	}
}

// actor answers with the details of one actor, which may have stopped.
func (s *Server) actor(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	d := s.model.details(path)
	for _, e := range s.recent.Events() {
		if e.Actor == path {
			d.Events = append(d.Events, line{Seq: e.Seq, At: e.Time.UnixMilli(), Kind: e.Kind, Text: describe(e)})
		}
	}
	if d.Actor == nil && len(d.Events) == 0 {
		http.Error(w, "no such actor", http.StatusNotFound)
		return
	}
	d.Events = d.Events[max(0, len(d.Events)-maxLines):]
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d)
}

// kill makes an actor panic, so that a user can watch what its supervisor does.
func (s *Server) kill(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	if err := s.tree.Kill(r.PostForm.Get("path"), "killed by hand"); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
