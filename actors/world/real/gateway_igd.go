package real

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/huin/goupnp"
	"github.com/huin/goupnp/soap"

	"kouzui/actors/world"
)

const (
	// maxDevices is how many devices are asked what they are, of those that answer
	// a search: a network has a router or two, and anybody in it can answer.
	maxDevices = 8
	// deviceTimeout is for each of them.
	deviceTimeout = 2 * time.Second
	// maxDescription bounds what a device may answer, in bytes. Descriptions have
	// some 10 KiB.
	maxDescription = 256 << 10
	// portTries is how many ports are tried when another host has the wished one.
	portTries = 4

	// errorConflict and errorOnlyPermanent are codes of UPnP: another host has the
	// port; the router maps for ever only.
	errorConflict      = 718
	errorOnlyPermanent = 725
)

// igdServices are those of a router that map ports.
var igdServices = []string{
	"urn:schemas-upnp-org:service:WANIPConnection:2",
	"urn:schemas-upnp-org:service:WANIPConnection:1",
	"urn:schemas-upnp-org:service:WANPPPConnection:1",
}

// igd is a router that speaks UPnP, an internet gateway device.
type igd struct {
	service string
	client  *soap.SOAPClient
	router  netip.Addr
	local   netip.Addr // ours, as seen from there; set by each connection
	outer   netip.Addr
}

// igdCache is the router that was found last, so that to unmap needs no search.
type igdCache struct {
	mu    sync.Mutex
	found *igd
}

func (c *igdCache) get() *igd {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found
}

func (c *igdCache) put(found *igd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = found
}

func (g *Gateway) mapByIGD(ctx context.Context, m world.PortMapping) (mapped world.Mapped, err error) {
	router := g.igd.get()
	if router != nil && router.askOuter(ctx) != nil { // it has gone, or another has its address
		router = nil
	}
	if router == nil {
		if router, err = g.findIGD(ctx, m); err != nil {
			return mapped, err
		}
	}
	g.igd.put(router)
	for range portTries {
		err = router.mapBoth(ctx, m)
		if codeOf(err) != errorConflict {
			break
		}
		m.Outer = max(m.Outer+1, 1024)
	}
	switch {
	case codeOf(err) == errorOnlyPermanent:
		return mapped, world.ErrOnlyPermanent
	case err != nil:
		return mapped, err
	}
	return world.Mapped{Outer: netip.AddrPortFrom(router.outer, m.Outer), Router: router.router, Lease: m.Lease}, nil
}

func (g *Gateway) unmapByIGD(ctx context.Context, m world.PortMapping) error {
	router := g.igd.get()
	if router == nil {
		return errNoRouter
	}
	return errors.Join(router.unmap(ctx, "TCP", m), router.unmap(ctx, "UDP", m))
}

// findIGD takes the first router, of the devices that answer a search, that has
// an outer address.
func (g *Gateway) findIGD(ctx context.Context, m world.PortMapping) (*igd, error) {
	local, err := g.local(m.Inner.Addr())
	if err != nil {
		return nil, err
	}
	answers, err := g.search(ctx, local)
	if err != nil {
		return nil, err
	}
	failed := errNoRouter
	for _, a := range answers {
		router, err := g.describe(ctx, a)
		if err == nil {
			return router, nil
		}
		failed = err
	}
	return nil, failed
}

// describe asks a device what it is.
func (g *Gateway) describe(ctx context.Context, a ssdpAnswer) (*igd, error) {
	ctx, lapsed := context.WithTimeout(ctx, deviceTimeout)
	defer lapsed()
	found := &igd{router: a.from}
	client := http.Client{Transport: found.transport(g.source), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.location.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, cause(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the router answers %s", response.Status)
	}
	root := new(goupnp.RootDevice)
	decoder := xml.NewDecoder(response.Body)
	decoder.DefaultSpace = goupnp.DeviceXMLNamespace
	if err := decoder.Decode(root); err != nil {
		return nil, fmt.Errorf("the router's description: %w", err)
	}
	root.SetURLBase(a.location)
	root.Device.VisitServices(func(s *goupnp.Service) {
		better := slices.Index(igdServices, s.ServiceType)
		if better >= 0 && s.ControlURL.Ok && (found.client == nil || better < slices.Index(igdServices, found.service)) {
			found.service = s.ServiceType
			found.client = &soap.SOAPClient{EndpointURL: s.ControlURL.URL, HTTPClient: client}
		}
	})
	if found.client == nil {
		return nil, errNoRouter
	}
	return found, found.askOuter(ctx)
}

// transport reaches the router alone, wherever its description leads, and reads
// no more than maxDescription of an answer.
func (r *igd) transport(source *Source) http.RoundTripper {
	return bounded{&http.Transport{
		DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			conn, err := source.dial(ctx, "tcp4", addr, func(_ context.Context, to netip.Addr) error {
				if to.Unmap() != r.router {
					return errors.New("the router names another host")
				}
				return nil
			})
			if err == nil {
				r.local = conn.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
			}
			return conn, err
		},
	}}
}

// bounded cuts answers off.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxDescription)
	}
	return response, err
}

// askOuter asks for the outer address. A router that has none maps nothing.
func (r *igd) askOuter(ctx context.Context) error {
	var out struct{ NewExternalIPAddress string }
	if err := r.client.PerformActionCtx(ctx, r.service, "GetExternalIPAddress", nil, &out); err != nil {
		return faultOf(err)
	}
	addr, err := netip.ParseAddr(strings.TrimSpace(out.NewExternalIPAddress))
	if err != nil || !addr.Is4() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() {
		return errors.New("the router has no outer address")
	}
	r.outer = addr
	return nil
}

// mapBoth maps the port for TCP and UDP, or for neither.
func (r *igd) mapBoth(ctx context.Context, m world.PortMapping) error {
	if err := r.add(ctx, "TCP", m); err != nil {
		return err
	}
	err := r.add(ctx, "UDP", m)
	if err != nil {
		_ = r.unmap(ctx, "TCP", m)
	}
	return err
}

func (r *igd) add(ctx context.Context, protocol string, m world.PortMapping) error {
	inner := m.Inner.Addr().Unmap()
	if !inner.Is4() || inner.IsUnspecified() {
		inner = r.local
	}
	in := struct {
		NewRemoteHost, NewExternalPort, NewProtocol, NewInternalPort, NewInternalClient string
		NewEnabled, NewPortMappingDescription, NewLeaseDuration                         string
	}{
		"", strconv.Itoa(int(m.Outer)), protocol, strconv.Itoa(int(m.Inner.Port())), inner.String(),
		"1", "Kouzui", strconv.Itoa(int(m.Lease / time.Second)),
	}
	return faultOf(r.client.PerformActionCtx(ctx, r.service, "AddPortMapping", &in, nil))
}

func (r *igd) unmap(ctx context.Context, protocol string, m world.PortMapping) error {
	in := struct{ NewRemoteHost, NewExternalPort, NewProtocol string }{"", strconv.Itoa(int(m.Outer)), protocol}
	return faultOf(r.client.PerformActionCtx(ctx, r.service, "DeletePortMapping", &in, nil))
}

// igdFault is what a router says in place of an answer. The words are its own.
type igdFault struct{ code int }

func (f *igdFault) Error() string {
	return fmt.Sprintf("the router refuses with error %d of UPnP", f.code)
}

func faultOf(err error) error {
	var fault *soap.SOAPFaultError
	if errors.As(err, &fault) {
		return &igdFault{fault.Detail.UPnPError.Errorcode}
	}
	return err
}

// codeOf is the error of UPnP that err is; 0: none.
func codeOf(err error) int {
	var fault *igdFault
	if errors.As(err, &fault) {
		return fault.code
	}
	return 0
}
