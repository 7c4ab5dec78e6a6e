package real

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kouzui/actors/world"
	"kouzui/wire/natpmp"
)

var here = netip.MustParseAddr("127.0.0.1")

func TestAnswersToASearch(t *testing.T) {
	const good = "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: x\r\nLOCATION: http://10.99.10.1:5555/rootDesc.xml\r\n\r\n"
	router := netip.MustParseAddr("10.99.10.1")
	if a, ok := readSSDP([]byte(good), router); !ok || a.location.Host != "10.99.10.1:5555" || a.from != router {
		t.Errorf("%+v, %v", a, ok)
	}
	for name, text := range map[string]string{
		"nothing": "", "a search": "M-SEARCH * HTTP/1.1\r\n\r\n", "an error": strings.Replace(good, "200 OK", "404 No", 1), "cut off": good[:30],
		"no place": strings.Replace(good, "LOCATION", "PLACE", 1), "at another host": strings.Replace(good, "10.99.10.1:", "10.99.10.2:", 1),
		"at a name": strings.Replace(good, "10.99.10.1:", "router.test:", 1), "a file": strings.Replace(good, "http://10.99.10.1:5555", "file://10.99.10.1", 1),
	} {
		if a, ok := readSSDP([]byte(text), router); ok {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// device is a router of UPnP at loopback. say answers each action.
type device struct {
	*httptest.Server
	actions []string
	say     func(action, body string) (fault int, answer string)
	// describes, if it is set, answers the question for the description.
	describes http.HandlerFunc
	control   string // where actions are taken
}

func startDevice(t *testing.T) *device {
	d := &device{control: "/ctl"}
	d.say = func(action, _ string) (int, string) {
		if action == "GetExternalIPAddress" {
			return 0, "<NewExternalIPAddress>203.0.113.9</NewExternalIPAddress>"
		}
		return 0, ""
	}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if d.describes != nil {
				d.describes(w, r)
				return
			}
			fmt.Fprintf(w, `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><serviceList><service>
				<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>%s</controlURL></service></serviceList></device></deviceList></device></root>`, d.control)
			return
		}
		_, action, _ := strings.Cut(strings.Trim(r.Header.Get("SOAPACTION"), `"`), "#")
		body, _ := io.ReadAll(r.Body)
		d.actions = append(d.actions, action)
		fault, answer := d.say(action, string(body))
		content := fmt.Sprintf(`<u:%sResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">%s</u:%[1]sResponse>`, action, answer)
		if fault != 0 {
			w.WriteHeader(http.StatusInternalServerError)
			content = fmt.Sprintf(`<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>%d</errorCode></UPnPError></detail></s:Fault>`, fault)
		}
		fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>`, content)
	}))
	t.Cleanup(d.Close)
	return d
}

// described is a Gateway that knows the device, or why it does not.
func (d *device) described(t *testing.T) (*Gateway, error) {
	at, err := url.Parse(d.URL + "/root.xml")
	if err != nil {
		t.Fatal(err)
	}
	g := NewGateway(nil)
	found, err := g.describe(t.Context(), ssdpAnswer{here, at})
	g.igd.put(found)
	return g, err
}

// wish is what is asked for.
var wish = world.PortMapping{By: world.UPnP, Inner: netip.MustParseAddrPort("[::]:7001"), Outer: 7001, Lease: time.Hour}

func TestMapByUPnP(t *testing.T) {
	d := startDevice(t)
	g, err := d.described(t)
	if err != nil {
		t.Fatal(err)
	}
	outer := d.say
	var asked []string
	d.say = func(action, body string) (int, string) {
		if action != "GetExternalIPAddress" {
			asked = append(asked, body)
		}
		return outer(action, body)
	}
	mapped, err := g.mapPort(t.Context(), wish)
	if want := (world.Mapped{Outer: netip.MustParseAddrPort("203.0.113.9:7001"), Router: here, Lease: time.Hour}); err != nil || mapped != want {
		t.Errorf("%+v, %v", mapped, err)
	}
	if err := g.unmapPort(t.Context(), wish); err != nil {
		t.Error(err)
	}
	for i, want := range [][]string{
		{"AddPortMapping", "<NewProtocol>TCP", "<NewInternalClient>127.0.0.1<", "<NewLeaseDuration>3600<", "<NewExternalPort>7001<", "<NewInternalPort>7001<", "<NewEnabled>1<"},
		{"AddPortMapping", "<NewProtocol>UDP", "<NewInternalClient>127.0.0.1<", "<NewLeaseDuration>3600<"},
		{"DeletePortMapping", "<NewProtocol>TCP", "<NewExternalPort>7001<"}, {"DeletePortMapping", "<NewProtocol>UDP"},
	} {
		for _, part := range want {
			if len(asked) != 4 || !strings.Contains(asked[i], part) {
				t.Fatalf("%d: no %s in %q", i, part, asked)
			}
		}
	}
}

func TestWhatARouterOfUPnPRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		fault  func(body string) int
		want   uint16
		err    error
		undone bool // TCP, as UDP is refused
	}{
		"for ever only":       {func(string) int { return errorOnlyPermanent }, 0, world.ErrOnlyPermanent, false},
		"another host has it": {func(body string) int { return errorConflict * strings.Count(body, ">7001</NewExternalPort") }, 7002, nil, false},
		"another has it for UDP": {func(body string) int {
			return errorConflict * strings.Count(body, ">7001</NewExternalPort><NewProtocol>UDP")
		}, 7002, nil, true},
		"others have all": {func(string) int { return errorConflict }, 0, &igdFault{errorConflict}, false},
		"anything":        {func(string) int { return 606 }, 0, &igdFault{606}, false},
	} {
		d := startDevice(t)
		g, err := d.described(t)
		if err != nil {
			t.Fatal(err)
		}
		outer, undone := d.say, false
		d.say = func(action, body string) (int, string) {
			undone = undone || action == "DeletePortMapping" && strings.Contains(body, "TCP")
			if action == "AddPortMapping" {
				return c.fault(body), ""
			}
			return outer(action, body)
		}
		mapped, err := g.mapPort(t.Context(), wish)
		if mapped.Outer.Port() != c.want || fmt.Sprint(err) != fmt.Sprint(c.err) || errors.Is(c.err, world.ErrOnlyPermanent) && err != c.err || undone != c.undone {
			t.Errorf("%s: %+v, %v, undone %v", name, mapped, err, undone)
		}
		if len(d.actions) > 2+3*portTries {
			t.Errorf("%s: %d actions", name, len(d.actions))
		}
	}
}

// TestHostileRouters: a description leads nowhere else, and is not read on and
// on.
func TestHostileRouters(t *testing.T) {
	elsewhere := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody else is asked") }))
	var err error
	if elsewhere.Listener, err = net.Listen("tcp", "127.0.0.2:0"); err != nil {
		t.Skip("only on Linux all of 127.0.0.0/8 is this machine's")
	}
	elsewhere.Start()
	defer elsewhere.Close()
	for name, spoil := range map[string]func(*device){
		"its services are elsewhere": func(d *device) { d.control = elsewhere.URL + "/ctl" },
		"it sends us elsewhere": func(d *device) {
			d.describes = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }
		},
		"it never ends": func(d *device) {
			d.describes = func(w http.ResponseWriter, _ *http.Request) {
				for sent := 0; ; sent += 1 << 10 {
					if sent > 64<<20 {
						t.Error("64 MiB are read")
						return
					}
					if _, err := w.Write([]byte("<a>" + strings.Repeat(" ", 1021))); err != nil {
						return
					}
				}
			}
		},
		"it is deep": func(d *device) {
			d.describes = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `<root xmlns="urn:schemas-upnp-org:device-1-0">`+strings.Repeat("<device><deviceList>", 10_000))
			}
		},
		"it is another device": func(d *device) {
			d.describes = func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `<root xmlns="urn:schemas-upnp-org:device-1-0"><device></device></root>`)
			}
		},
		"it has no outer address": func(d *device) {
			d.say = func(string, string) (int, string) { return 0, "<NewExternalIPAddress></NewExternalIPAddress>" }
		},
		"its outer address is none": func(d *device) {
			d.say = func(string, string) (int, string) { return 0, "<NewExternalIPAddress>127.0.0.1</NewExternalIPAddress>" }
		},
	} {
		d := startDevice(t)
		spoil(d)
		if _, err := d.described(t); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

// TestMapByNATPMP: what the router did not mean for us is left alone, and what
// was lost is sent again.
func TestMapByNATPMP(t *testing.T) {
	const inner, outer = "1b59", "1b5b"
	mapped := "0082 0000 00000001 " + inner + outer + " 00000708"
	for name, c := range map[string]struct {
		answers []string // to the first request, to the second and so on; the rest to later ones
		want    string
	}{
		"mapped":             {[]string{mapped}, ""},
		"after a loss":       {[]string{"", mapped}, ""},
		"after other things": {[]string{"ff", "0081 0000 00000001 1b59 1b5b 00000708", "0082 0000 00000001 1b58 1b5b 00000708", mapped}, ""},
		"refused":            {[]string{"0082 0002 00000001"}, "the router refuses: mappings are not allowed"},
		"for no time":        {[]string{strings.Replace(mapped, "00000708", "00000000", 1)}, "the router maps to no port, or for no time"},
	} {
		router, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.DialUDP("udp4", nil, router.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			buf := make([]byte, 100)
			for i := 0; ; i++ {
				_, from, err := router.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				if i < len(c.answers) {
					b, _ := hex.DecodeString(strings.ReplaceAll(c.answers[i], " ", ""))
					_, _ = router.WriteToUDPAddrPort(b, from)
				}
			}
		}()
		p := &pmp{conn: conn, inner: here, router: here}
		r, err := p.ask(t.Context(), natpmp.Map{TCP: true, Inner: 7001, Outer: 7001, Lease: time.Hour})
		if c.want == "" && (err != nil || r.Outer != 7003 || r.Lease != 30*time.Minute) || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		_ = conn.Close()
		_ = router.Close()
		<-ended
	}
}

// TestNobodyAnswers: a call ends with its time, or when it is cancelled.
func TestNobodyAnswers(t *testing.T) {
	silent, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	conn, err := net.DialUDP("udp4", nil, silent.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _, _ = silent.ReadFromUDPAddrPort(make([]byte, 100))
		cancel()
	}()
	if _, err := (&pmp{conn: conn}).ask(ctx, natpmp.Map{Inner: 7001, Lease: time.Hour}); err != errTimedOut {
		t.Errorf("ended with %v", err)
	}
}
