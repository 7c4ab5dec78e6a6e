package observe_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"kouzui/actors/runtime/observe"
)

func TestAddressesThatOtherMachinesReachAreRefused(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0"} {
		if _, err := observe.New(observe.Config{Addr: addr}); !errors.Is(err, observe.ErrRemote) {
			t.Errorf("%s: error %v", addr, err)
		}
	}
	for _, c := range []observe.Config{{Addr: "127.0.0.1:0"}, {Addr: "localhost:0"}, {Addr: "0.0.0.0:0", Remote: true}} {
		s, err := observe.New(c)
		if err != nil {
			t.Errorf("%s: %v", c.Addr, err)
		} else if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhoIsAnswered(t *testing.T) {
	s := newScene(t, "one")
	token := s.base.Query().Get("token")
	_, port, _ := net.SplitHostPort(s.base.Host)
	cookie := s.exchange()
	// with has the page's cookie instead of the token, and these headers.
	with := func(headers ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(cookie)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
		}
	}
	ours := "http://" + s.base.Host
	for _, c := range []struct {
		name, method, path string
		change             func(*http.Request)
		want               int
	}{
		{"the token in the query", "GET", "/", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 200},
		{"a wrong token in the query", "GET", "/", func(r *http.Request) { with()(r); r.URL.RawQuery = "token=" + token + "A" }, 401},
		{"the token in the query of a script", "GET", "/metrics", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 200},
		{"the token in the header of a script", "GET", "/metrics", nil, 200},
		{"the token in the header", "GET", "/", nil, 200},
		{"a scheme in small letters, and two spaces", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "bearer  "+token) }, 200},
		{"the token under another scheme", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) }, 401},
		{"the cookie", "GET", "/", with(), 200},
		{"the cookie, from our page", "GET", "/metrics", with("Sec-Fetch-Site", "same-origin"), 200},
		{"the cookie, from the address bar", "GET", "/", with("Sec-Fetch-Site", "none"), 200},
		{"the cookie, from another port's page", "GET", "/actor", with("Sec-Fetch-Site", "same-site"), 401},
		{"the token as cookie", "GET", "/", func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: token})
		}, 401},
		{"the cookie and a wrong token", "GET", "/", func(r *http.Request) { with("Authorization", "Bearer x")(r) }, 401},
		{"a write with the cookie", "POST", "/kill", with("Origin", ours), 404},
		{"a write with the cookie of no page", "POST", "/kill", with(), 401},
		{"a write with the cookie, from another port's page", "POST", "/kill", with("Origin", "http://127.0.0.1:1"), 403},
		{"no token", "GET", "/", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for the stream", "GET", "/events", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for metrics", "GET", "/metrics", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"no token for profiles", "GET", "/debug/pprof/heap", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"a wrong token", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"A") }, 401},
		{"a part of the token", "GET", "/", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token[:25]) }, 401},
		{"a write with the token in the query", "POST", "/kill", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=" + token }, 401},
		{"a write by GET", "GET", "/kill", nil, 405},
		{"a write of nobody", "POST", "/kill", nil, 404},
		{"somebody else's name", "GET", "/", func(r *http.Request) { r.Host = "example.org:" + port }, 421},
		{"a name that begins like ours", "GET", "/", func(r *http.Request) { r.Host = "127.0.0.1.example.org" }, 421},
		{"localhost", "GET", "/", func(r *http.Request) { r.Host = "localhost:" + port }, 200},
		{"our own page", "GET", "/", func(r *http.Request) { r.Header.Set("Origin", "http://"+s.base.Host) }, 200},
		{"another site's page", "GET", "/", func(r *http.Request) { r.Header.Set("Origin", "http://example.org") }, 403},
		{"another port's page", "POST", "/kill", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") }, 403},
		{"a page without an origin", "POST", "/kill", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		{"a profile", "GET", "/debug/pprof/goroutine", nil, 200},
		{"no such profile", "GET", "/debug/pprof/nothing", nil, 404},
		{"no such actor", "GET", "/actor", nil, 404},
		{"no such page", "GET", "/favicon.ico", nil, 404},
	} {
		r := s.request(c.method, c.path, nil)
		if c.change != nil {
			c.change(r)
		}
		status, header, _ := s.send(r)
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
		if p := header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") {
			t.Errorf("%s: policy %q", c.name, p)
		}
	}
}

// exchange gives the token for a cookie.
func (s *scene) exchange() *http.Cookie {
	s.t.Helper()
	r := s.request("GET", "/", nil)
	r.Header.Del("Authorization")
	r.URL.RawQuery = s.base.RawQuery
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	cookies := answer.Cookies()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(page), `content="0; url=/"`) || len(cookies) != 1 {
		s.t.Fatalf("%s with %v: %s, %v", answer.Status, cookies, page, err)
	}
	return cookies[0]
}

// No script can read the cookie, no other site can make a browser send it, it
// is not the token, and that of another run has another name.
func TestTheTokenIsExchangedForACookie(t *testing.T) {
	s := newScene(t, "one")
	cookie := s.exchange()
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.MaxAge != 0 {
		t.Errorf("%v", cookie)
	}
	if cookie.Value == s.base.Query().Get("token") || len(cookie.Value) < 26 {
		t.Errorf("value %q", cookie.Value)
	}
	if other := newScene(t, "two").exchange(); other.Name == cookie.Name {
		t.Errorf("two runs have the cookie %q", other.Name)
	}
}
