package real

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
	"kouzui/wire/udptracker"
)

var scraped = announce.Stats{Seeders: 3, Leechers: 2, Completed: 9}

// udpTracker answers each packet as answer says; nil: not at all.
func udpTracker(t *testing.T, answer func(udptracker.Request) [][]byte) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buffer := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			r, err := udptracker.ParseRequest(buffer[:n])
			if err != nil {
				t.Error(err)
				return
			}
			for _, packet := range answer(r) {
				_, _ = conn.WriteTo(packet, from)
			}
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-ended
	})
	return "udp://" + conn.LocalAddr().String()
}

// What a tracker says over UDP, and who says it to whom: what answers another
// transaction is ignored.
func TestScrapeOverUDP(t *testing.T) {
	hash := metainfo.Hash{7}
	for name, c := range map[string]struct {
		answer func(udptracker.Request) [][]byte
		failed world.Phase // empty: it does not
		within time.Duration
	}{
		"counts": {answer: func(r udptracker.Request) [][]byte {
			if r.Action == udptracker.Connect {
				return [][]byte{udptracker.AppendConnected(nil, r.Transaction+1, 4), {1}, udptracker.AppendConnected(nil, r.Transaction, 5)}
			}
			if r.Connection != 5 || len(r.Torrents) != 1 || r.Torrents[0] != hash {
				return [][]byte{udptracker.AppendFailed(nil, r.Transaction, "wrong request")}
			}
			return [][]byte{
				udptracker.AppendFailed(nil, r.Transaction+1, "not yours"),
				udptracker.AppendScraped(nil, r.Transaction, []announce.Stats{scraped}),
			}
		}},
		"a refusal": {failed: world.PhaseFailure, answer: func(r udptracker.Request) [][]byte {
			return [][]byte{udptracker.AppendFailed(nil, r.Transaction, "no")}
		}},
		"nothing of the torrent": {failed: world.PhaseFailure, answer: func(r udptracker.Request) [][]byte {
			if r.Action == udptracker.Connect {
				return [][]byte{udptracker.AppendConnected(nil, r.Transaction, 5)}
			}
			return [][]byte{udptracker.AppendScraped(nil, r.Transaction, nil)}
		}},
		"silence": {failed: world.PhaseRead, answer: func(udptracker.Request) [][]byte { return nil }, within: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(c.within, time.Minute))
			defer cancel()
			s := Scraper{HTTP: NewHTTP(HTTPOptions{})}
			got, err := s.Scrape(ctx, udpTracker(t, c.answer)+"/announce", world.FromTorrent, hash)
			checkScrape(t, got, err, c.failed)
		})
	}
}

func checkScrape(t *testing.T, got announce.Stats, err error, failed world.Phase) {
	t.Helper()
	var why *world.AnnounceError
	switch {
	case failed == "" && (err != nil || got != scraped):
		t.Errorf("got %+v, %v", got, err)
	case failed != "" && (!errors.As(err, &why) || why.Phase != failed):
		t.Errorf("got %+v, %v, want an error of %s", got, err, failed)
	}
}

// Where a scrape may lead, and what is answered over HTTP.
func TestScrapeOverHTTP(t *testing.T) {
	hash := metainfo.Hash{7}
	var asked atomic.Int32
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Query().Get("info_hash") != string(hash[:]) {
			t.Errorf("asked is %s", r.URL)
		}
		files := map[metainfo.Hash]announce.Stats{hash: scraped}
		switch {
		case strings.HasPrefix(r.URL.Path, "/other/"):
			files = map[metainfo.Hash]announce.Stats{{8}: scraped}
		case strings.HasPrefix(r.URL.Path, "/refuses/"):
			_, _ = w.Write(announce.AppendFailure(nil, "no"))
			return
		case strings.HasPrefix(r.URL.Path, "/gone/"):
			w.WriteHeader(http.StatusGone)
			return
		case strings.HasPrefix(r.URL.Path, "/page/"):
			_, _ = io.WriteString(w, "<html>")
			return
		case strings.HasPrefix(r.URL.Path, "/away/"):
			http.Redirect(w, r, "/admin/reboot?"+r.URL.RawQuery, http.StatusFound)
			return
		}
		_, _ = w.Write(announce.AppendScrape(nil, files))
	})
	for _, c := range []struct {
		path   string
		from   world.Origin
		failed world.Phase
		asked  int32
	}{
		{"/announce", world.FromTorrent, "", 1},
		{"/key/announce", world.FromUser, "", 1},
		{"/announce.php", world.FromUser, "", 1},
		{"/announce.php", world.FromTorrent, world.PhaseURL, 0}, // not what looks like a tracker
		{"/scrape", world.FromUser, world.PhaseURL, 0},
		{"/other/announce", world.FromTorrent, world.PhaseFailure, 1},
		{"/refuses/announce", world.FromTorrent, world.PhaseBencode, 1},
		{"/gone/announce", world.FromTorrent, world.PhaseStatus, 1},
		{"/page/announce", world.FromTorrent, world.PhaseBencode, 1},
		{"/away/announce", world.FromTorrent, world.PhaseURL, 1},
	} {
		t.Run(fmt.Sprint(c.path, c.from), func(t *testing.T) {
			before := asked.Load()
			s := Scraper{HTTP: NewHTTP(HTTPOptions{})}
			got, err := s.Scrape(t.Context(), server.URL+c.path, c.from, hash)
			checkScrape(t, got, err, c.failed)
			if n := asked.Load() - before; n != c.asked {
				t.Errorf("the server is asked %d times, want %d", n, c.asked)
			}
		})
	}
}

// A stranger's URL leads to no socket of this machine that does not look like a
// tracker's.
func TestScrapesOfStrangersOverUDP(t *testing.T) {
	at := udpTracker(t, func(r udptracker.Request) [][]byte {
		t.Errorf("it is asked: %+v", r)
		return nil
	})
	_, err := (&Scraper{HTTP: NewHTTP(HTTPOptions{})}).Scrape(t.Context(), at, world.FromTorrent, metainfo.Hash{7})
	checkScrape(t, announce.Stats{}, err, world.PhaseURL)
}
