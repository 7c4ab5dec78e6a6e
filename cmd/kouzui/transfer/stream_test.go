package transfer

import (
	"bytes"
	"context"
	"io"
	"kouzui"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kouzui/actors/lab/stage"
)

// film is a torrent that runs, of which a seed has everything, and its content.
func film(t *testing.T) (*kouzui.Torrent, []byte) {
	t.Helper()
	m, data := stage.Torrent(t, 3<<20+7, 64<<10)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, m.Name), data, 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(dir string, o kouzui.Options) (*kouzui.Client, *kouzui.Torrent) {
		client, err := kouzui.Open(kouzui.Config{Dir: dir, Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close(context.Background()) })
		torrent, err := client.AddMetainfo(m, o)
		if err != nil {
			t.Fatal(err)
		}
		return client, torrent
	}
	seed, _ := run(dir, kouzui.Options{Seed: true, MustExist: true, SuperSeed: kouzui.SuperSeedNever})
	addr, err := seed.Addr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, torrent := run(t.TempDir(), kouzui.Options{Seed: true, Peers: []netip.AddrPort{addr}})
	return torrent, data
}

// Players get the file, any range of it, and the address of the only file; a
// page that has a browser ask by another name gets nothing.
func TestPlayersAreServed(t *testing.T) {
	torrent, data := film(t)
	server := httptest.NewServer(player{torrent})
	defer server.Close()
	ask := func(method, path string, header http.Header, host string) (code int, length int64, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header.Clone()
		if host != "" {
			r.Host = host
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		all, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, answer.ContentLength, string(all)
	}
	ranged := func(r string) http.Header { return http.Header{"Range": {r}} }
	for name, test := range map[string]struct {
		method, path string
		header       http.Header
		host         string
		code         int
		body         string
	}{
		"all of it":            {"GET", "/data", http.Header{}, "", 200, string(data)},
		"by the name alone":    {"GET", "/", http.Header{}, "", 200, string(data)},
		"the end":              {"GET", "/data", ranged("bytes=-100"), "", 206, string(data[len(data)-100:])},
		"the middle":           {"GET", "/data", ranged("bytes=1000000-1000099"), "", 206, string(data[1000000:1000100])},
		"beyond the end":       {"GET", "/data", ranged("bytes=9999999-"), "", 416, ""},
		"its size":             {"HEAD", "/data", http.Header{}, "", 200, ""},
		"as localhost":         {"HEAD", "/data", http.Header{}, "localhost:1", 200, ""},
		"by another name":      {"GET", "/data", http.Header{}, "evil.example", 421, ""},
		"at another address":   {"GET", "/data", http.Header{}, "192.0.2.1:80", 421, ""},
		"another file":         {"GET", "/date", http.Header{}, "", 404, ""},
		"a file above":         {"GET", "/../data", http.Header{}, "", 404, ""},
		"not to be written to": {"PUT", "/data", http.Header{}, "", 405, ""},
	} {
		code, length, body := ask(test.method, test.path, test.header, test.host)
		if code != test.code || code < 300 && body != test.body {
			t.Errorf("%s: %d, %d bytes", name, code, len(body))
		}
		if code == 200 && length != int64(len(data)) {
			t.Errorf("%s: the length is %d", name, length)
		}
	}
}

func TestFilesAreListed(t *testing.T) {
	w := httptest.NewRecorder()
	listFiles(w, []kouzui.File{{Path: "a/<b>.mkv"}, {Path: "a/c?d#e.mkv"}})
	for _, want := range []string{`<a href="/a/%3Cb%3E.mkv">a/&lt;b&gt;.mkv</a>`, `<a href="/a/c%3Fd%23e.mkv">a/c?d#e.mkv</a>`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s is not in %s", want, w.Body)
		}
	}
}

func TestAFileIsWritten(t *testing.T) {
	torrent, data := film(t)
	var got bytes.Buffer
	if err := write(t.Context(), torrent, &got); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d bytes of %d: %v", got.Len(), len(data), err)
	}
}
