package hostile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/announce"
)

const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n"

// Trackers is every kind of hostile tracker.
func Trackers() []Tracker {
	return []Tracker{
		answers("says that it is endless", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head + "Content-Length: 1099511627776\r\n\r\n")
			c.flood(strings.Repeat("5:peers", 10_000))
		}),
		answers("is endless", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head + "\r\nd5:peers999999999999:")
			c.flood(strings.Repeat("\x7f\x00\x00\x01\x00\x01", 10_000))
		}),
		answers("sends chunks for ever", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head + "Transfer-Encoding: chunked\r\n\r\n")
			c.flood(strings.Repeat("10;x=y\r\n0123456789abcdef\r\n", 1000))
		}),
		answers("sends headers for ever", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head)
			c.flood(strings.Repeat("X-Header: "+strings.Repeat("x", 1000)+"\r\n", 10))
		}),
		answers("sends early hints for ever", world.PhaseRead, func(c *TrackerConn) {
			c.flood(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 100))
		}),
		replies("sends a gzip bomb", world.PhaseRead, zipped(make([]byte, 32<<20))),
		replies("sends a gzip bomb in a gzip bomb", world.PhaseBencode, zipped([]byte(zipped(make([]byte, 32<<20))))),
		replies("sends gzip that is cut off", world.PhaseRead, zipped([]byte(strings.Repeat("x", 1000)))[:30]),
		answers("drips", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head + "Content-Length: 1000000\r\n\r\n")
			c.Drip("d8:interval", time.Millisecond)
		}).hanging(),
		answers("drips its header", world.PhaseRead, func(c *TrackerConn) { c.Drip("HTTP", 10*time.Millisecond) }).hanging(),
		answers("says nothing", world.PhaseRead, (*TrackerConn).Hold).hanging(),
		answers("hangs up", world.PhaseRead, func(*TrackerConn) {}),
		answers("hangs up midway", world.PhaseRead, func(c *TrackerConn) { c.Say(head + "Content-Length: 100\r\n\r\nd8:inter") }),
		answers("counts too little", world.PhaseBencode, func(c *TrackerConn) { c.Say(head + "Content-Length: 5\r\n\r\nd8:intervali60ee") }),
		answers("counts below nothing", world.PhaseRead, func(c *TrackerConn) { c.Say(head + "Content-Length: -5\r\n\r\nde") }),
		answers("cannot count", world.PhaseRead, func(c *TrackerConn) {
			c.Say(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nde")
		}),
		answers("speaks no HTTP", world.PhaseRead, func(c *TrackerConn) { c.Say("220 mail.example ESMTP\x1b[2J\r\n") }),
		answers("changes the protocol", world.PhaseStatus, func(c *TrackerConn) {
			c.Say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nde")
		}),
		answers("is out of order", world.PhaseStatus, func(c *TrackerConn) {
			c.Say("HTTP/1.1 503 \x1b[31mNo\r\nConnection: close\r\n\r\n" + strings.Repeat("<html>", 1000))
		}),
		answers("has a status of its own", world.PhaseStatus, func(c *TrackerConn) { c.Say("HTTP/1.1 999 \x1b[31mNo\r\nConnection: close\r\n\r\n") }),
		answers("redirects nowhere", world.PhaseStatus, func(c *TrackerConn) { c.Say("HTTP/1.1 302 Found\r\nConnection: close\r\n\r\n") }),
		redirects("redirects for ever", world.PhaseStatus, func(c *TrackerConn) string { return c.Request.URL.Path + "/x" }),
		redirects("redirects to a file", world.PhaseStatus, func(*TrackerConn) string { return "file:///etc/passwd" }),
		redirects("redirects to another protocol", world.PhaseStatus, func(*TrackerConn) string { return "gopher://127.0.0.1/" }),
		redirects("redirects to no URL", world.PhaseRead, func(*TrackerConn) string { return "http://[::1\x1b]/%zz" + strings.Repeat("x", 10_000) }),
		redirects("redirects to nobody", world.PhaseConnect, func(*TrackerConn) string { return "http://127.0.0.1:1/" }),

		replies("is empty", world.PhaseBencode, ""),
		replies("is a web page", world.PhaseBencode, "<html><script>alert(1)</script>"),
		replies("nests lists", world.PhaseBencode, strings.Repeat("l", 1_000_000)),
		replies("nests dictionaries", world.PhaseBencode, "d5:peers"+strings.Repeat("d1:a", 400_000)),
		replies("nests and ends", world.PhaseBencode, "d5:peers"+strings.Repeat("l", 900_000)+strings.Repeat("e", 900_001)),
		replies("announces a long string", world.PhaseBencode, "d5:peers999999999999:x"),
		replies("announces a longer string", world.PhaseBencode, "d5:peers99999999999999999999999999999:x"),
		replies("announces a key of negative length", world.PhaseBencode, "d-1:xi1ee"),
		replies("counts with a million digits", "", "d8:intervali"+strings.Repeat("9", 1_000_000)+"ee"),
		replies("has a million values", world.PhaseBencode, "d5:peersl"+strings.Repeat("de", 1_000_000)+"ee"),
		replies("has many keys", world.PhaseBencode, "d"+strings.Repeat("0:0:", 100_000)+"e"),
		replies("mistakes types", "", "d8:completele10:incompletede8:intervall1:ae12:min interval1:x5:peersi5e6:peers6l0:e10:tracker idi-1e15:warning messagedee"),
		replies("gives keys twice", "", "d8:intervali1e8:intervali0e5:peersi1e5:peersle5:peers0:e"),
		replies("gives no time", "", "d8:intervali0e12:min intervali0e5:peers0:e"),
		replies("goes back in time", "", "d8:intervali-9223372036854775808e12:min intervali-1e5:peers0:e"),
		replies("waits for ever", "", "d8:intervali9223372036854775807e5:peers0:e"),
		replies("waits longer", "", "d8:intervali9223372036854775808e12:min intervali99999999999999999999e5:peers0:e"),
		replies("refuses at length", world.PhaseFailure, "d14:failure reason1000000:"+strings.Repeat("\x1b[31m\u202e\n", 1_000_000/9)+"x"+"e"),
		replies("refuses in bytes", world.PhaseFailure, "d14:failure reason4:\xff\xfe\x00\x1be"),
		replies("refuses with a number", world.PhaseFailure, "d14:failure reasoni1ee"),
		replies("warns at length", "", fmt.Sprintf("d15:warning message%d:%se", 1_000_000, strings.Repeat("\x1b]0;x\x07", 200_000)[:1_000_000])),
		replies("names a million peers", world.PhaseRead, compact(1_000_000)),
		replies("names peers by the thousand", "", compact(300_000)),
		replies("names who cannot be", "", "d5:peers42:"+
			"\x7f\x00\x00\x01\x00\x00"+ // port 0
			"\x00\x00\x00\x00\x1a\xe1"+ // unspecified
			"\xe0\x00\x00\x01\x1a\xe1"+ // multicast
			"\xff\xff\xff\xff\x1a\xe1"+ // broadcast
			"\xa9\xfe\xa9\xfe\x00\x50"+ // link-local
			"\x7f\x00\x00\x01\x00\x01"+
			"\x7f\x00\x00\x02\x00\x01"+
			"e"),
		answers("names itself", "", func(c *TrackerConn) {
			addr := c.Own.(*net.TCPAddr).AddrPort()
			ip := addr.Addr().Unmap().As4()
			c.Reply("d5:peers6:" + string(binary.BigEndian.AppendUint16(ip[:], addr.Port())) + "e")
		}),
		answers("names who asks", "", func(c *TrackerConn) {
			c.Reply("d5:peersld2:ip9:127.0.0.14:porti" + c.Request.URL.Query().Get("port") + "eeee")
		}),
		answers("names others each time", "", func(c *TrackerConn) { c.Reply(compact(announce.MaxPeers)) }),
	}
}

func answers(name string, fails world.Phase, answer func(*TrackerConn)) Tracker {
	return Tracker{Name: name, Fails: fails, Answer: answer}
}

func replies(name string, fails world.Phase, body string) Tracker {
	return answers(name, fails, func(c *TrackerConn) { c.Reply(body) })
}

func redirects(name string, fails world.Phase, to func(*TrackerConn) string) Tracker {
	return answers(name, fails, func(c *TrackerConn) { c.Redirect(to(c)) })
}

func (t Tracker) hanging() Tracker {
	t.Hangs = true
	return t
}

func (c *TrackerConn) flood(text string) {
	for c.Open() {
		c.Say(text)
	}
}

// compact is a reply with n addresses of this machine at which no client
// listens.
func compact(n int) string {
	peers := make([]byte, 0, 6*n)
	for range n {
		r := rand.Uint32()
		peers = append(peers, 127, 1+byte(r>>16)%250, byte(r>>8), 1+byte(r)%250, 0, 1)
	}
	return fmt.Sprintf("d8:intervali1e5:peers%d:%se", len(peers), peers)
}

func zipped(body []byte) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a Buffer takes all
	_ = z.Close()
	return b.String()
}
