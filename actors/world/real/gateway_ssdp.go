package real

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	// searchFor is how long answers to a search are waited for: devices answer
	// within searchSpread, and the search is sent twice, as one may be lost.
	searchFor    = 1500 * time.Millisecond
	searchSpread = "1" // seconds
	searchTimes  = 2
	// maxSearchAnswers is how many datagrams are looked at in a search.
	maxSearchAnswers = 256
)

// ssdpGroup is where devices of UPnP listen for searches.
var ssdpGroup = netip.MustParseAddrPort("239.255.255.250:1900")

// igdDevices are the devices that are searched for. A device of the second
// version answers for the first, too, as a rule.
var igdDevices = []string{
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
}

// ssdpAnswer is a device that has answered a search.
type ssdpAnswer struct {
	from     netip.Addr
	location *url.URL // of its description, at the same address
}

// search asks the network for routers, and returns who has answered in time.
func (g *Gateway) search(ctx context.Context, local netip.Addr) (answers []ssdpAnswer, err error) {
	if !local.IsValid() {
		local = netip.IPv4Unspecified()
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return g.source.bindDevice(c) }}
	opened, err := config.ListenPacket(ctx, "udp4", netip.AddrPortFrom(local, 0).String())
	if err != nil {
		return nil, cause(err)
	}
	conn := opened.(*net.UDPConn)
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	for range searchTimes {
		for _, device := range igdDevices {
			search := "M-SEARCH * HTTP/1.1\r\nHOST: " + ssdpGroup.String() + "\r\nMAN: \"ssdp:discover\"\r\nMX: " + searchSpread + "\r\nST: " + device + "\r\n\r\n"
			if _, err := conn.WriteToUDPAddrPort([]byte(search), ssdpGroup); err != nil {
				return nil, cause(err)
			}
		}
	}
	if ctx.Err() == nil {
		_ = conn.SetReadDeadline(time.Now().Add(searchFor))
	}
	buf := make([]byte, 4096)
	known := map[string]bool{}
	for range maxSearchAnswers {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			break // the time is up
		}
		a, ok := readSSDP(buf[:n], from.Addr().Unmap())
		if !ok || known[a.location.String()] {
			continue
		}
		known[a.location.String()] = true
		if answers = append(answers, a); len(answers) == maxDevices {
			break
		}
	}
	return answers, nil
}

// readSSDP reads an answer. Anybody in the network can send one: the
// description must be at the sender's own address.
func readSSDP(b []byte, from netip.Addr) (a ssdpAnswer, ok bool) {
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil {
		return a, false
	}
	_ = response.Body.Close()
	location, err := url.Parse(response.Header.Get("Location"))
	if err != nil || response.StatusCode != http.StatusOK || location.Scheme != "http" {
		return a, false
	}
	if at, err := netip.ParseAddr(location.Hostname()); err != nil || at.Unmap() != from {
		return a, false
	}
	return ssdpAnswer{from, location}, true
}
