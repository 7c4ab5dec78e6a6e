package observe

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// guarded passes a request on only if it has the token, names us as its host,
// and was not sent by a page of another site. A request that changes something
// must carry the token in a header, which a page of another site cannot make a
// browser send.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", thePage.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")

		origin := r.Header.Get("Origin")
		switch {
		case !s.named(r.Host):
			http.Error(w, "this is not a name of mine", http.StatusMisdirectedRequest)
		case origin != "" && origin != "http://"+r.Host:
			http.Error(w, "not for pages of other sites", http.StatusForbidden)
		case !s.authorised(r):
			h.Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the address that was printed at the start has a token in it, which is missing or wrong here", http.StatusUnauthorized)
		case r.Method != http.MethodPost && r.ContentLength != 0:
			http.Error(w, "a question has no body", http.StatusBadRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (s *Server) authorised(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		token = r.URL.Query().Get("token")
	}
	// Hashes have equal lengths; a comparison of the tokens would reveal the
	// length.
	given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.token))
	return subtle.ConstantTimeCompare(given[:], want[:]) == 1
}
