package real

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// defaultRouter is the router of the default route of IPv4: of an interface, or
// if device is empty, the best.
func defaultRouter(device string) (netip.Addr, error) {
	f, err := os.Open("/proc/net/route")
	if err != nil {
		return netip.Addr{}, err
	}
	defer f.Close()
	return parseRoutes(f, device)
}

// parseRoutes reads a table of routes: interface, destination, router, flags,
// two counts, metric and mask, with addresses in the machine's order of bytes.
func parseRoutes(table io.Reader, device string) (router netip.Addr, err error) {
	const hasRouter = 2
	best := uint64(0)
	for lines := bufio.NewScanner(table); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || device != "" && f[0] != device {
			continue
		}
		flags, bad := strconv.ParseUint(f[3], 16, 16)
		raw, wrong := hex.DecodeString(f[2])
		metric, not := strconv.ParseUint(f[6], 10, 32)
		if bad != nil || wrong != nil || not != nil || len(raw) != 4 || flags&hasRouter == 0 {
			continue
		}
		if router.IsValid() && metric >= best {
			continue
		}
		var addr [4]byte
		binary.NativeEndian.PutUint32(addr[:], binary.BigEndian.Uint32(raw))
		router, best = netip.AddrFrom4(addr), metric
	}
	if !router.IsValid() {
		return router, errNoRouter
	}
	return router, nil
}
