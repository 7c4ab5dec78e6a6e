package observe

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"kouzui/actors/runtime/clients"
)

// guarded passes a request on only if it has the token or the cookie, names us
// as its host, and was not sent by a page of another site. A request that
// changes something must have the token in a header, which a page of another
// site cannot make a browser send, or the cookie and our page as its origin.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", thePage().policy)
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
			http.Error(w, "open the address that was printed at the start: it has a token in it, which is missing or wrong here", http.StatusUnauthorized)
		case !writes(r) && r.ContentLength != 0:
			http.Error(w, "a question has no body", http.StatusBadRequest)
		default:
			defer clients.Serve(r.Context())()
			if r.URL.Path == "/" && r.URL.Query().Has("token") {
				s.exchange(w)
				return
			}
			next.ServeHTTP(w, r)
		}
	})
}

// exchange gives a browser a cookie for the token in the address of the page,
// and a page that leads on to the address without the token, so that the token
// stays neither in the address bar nor in the pages to go back to. What a user
// has typed a browser may remember all the same; the token opens the page for
// as long as the run lasts, as users open the printed address again.
//
// That page and not a redirection: with one, a browser that comes from another
// site would withhold the cookie.
func (s *Server) exchange(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookie(), Value: s.session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!DOCTYPE html><meta http-equiv="refresh" content="0; url=/"><title>Kouzui</title><a href="/">The page</a>`)
}

// cookie is the name of the page's cookie. Cookies do not tell ports apart, so
// that the pages of two runs must have different ones.
func (s *Server) cookie() string {
	return fmt.Sprintf("kouzui-%d", s.listener.Addr().(*net.TCPAddr).Port)
}

// writes tells whether a request may change something.
func writes(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

func (s *Server) authorised(r *http.Request) bool {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return equal(strings.TrimSpace(token), s.token)
	}
	if query := r.URL.Query(); query.Has("token") {
		return !writes(r) && equal(query.Get("token"), s.token)
	}
	// To a cookie, all ports of a host are the same site: SameSite does not keep
	// out the pages of other servers on this machine.
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return false
	}
	if writes(r) && r.Header.Get("Origin") == "" {
		return false
	}
	cookie, err := r.Cookie(s.cookie())
	return err == nil && equal(cookie.Value, s.session)
}

// equal compares secrets by their hashes, which have equal lengths: a
// comparison of the secrets would reveal the length.
func equal(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
