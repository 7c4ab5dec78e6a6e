package real

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// inTable is an IPv4 address as the kernel's table of routes has it.
func inTable(addr string) string {
	b := netip.MustParseAddr(addr).As4()
	return fmt.Sprintf("%08X", binary.NativeEndian.Uint32(b[:]))
}

func TestDefaultRouter(t *testing.T) {
	head := "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	route := func(device, router, flags, metric string) string {
		return strings.Join([]string{device, "00000000", inTable(router), flags, "0", "0", metric, "00000000", "0", "0", "0"}, "\t") + "\n"
	}
	network := "eth0\t" + inTable("192.168.1.0") + "\t00000000\t0001\t0\t0\t0\t" + inTable("255.255.255.0") + "\t0\t0\t0\n"
	for name, c := range map[string]struct{ table, device, want string }{
		"the only one":        {head + network + route("eth0", "192.168.1.1", "0003", "100"), "", "192.168.1.1"},
		"the best":            {head + route("wlan0", "10.0.0.1", "0003", "600") + route("eth0", "192.168.1.1", "0003", "100"), "", "192.168.1.1"},
		"of an interface":     {head + route("wlan0", "10.0.0.1", "0003", "600") + route("eth0", "192.168.1.1", "0003", "100"), "wlan0", "10.0.0.1"},
		"none of that":        {head + route("wlan0", "10.0.0.1", "0003", "600"), "eth0", ""},
		"through no router":   {head + route("tun0", "0.0.0.0", "0001", "0"), "", ""},
		"nothing":             {"", "", ""},
		"what is not a table": {head + "eth0 00000000 zz 0003 0 0 0 00000000\n", "", ""},
	} {
		got, err := parseRoutes(strings.NewReader(c.table), c.device)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
