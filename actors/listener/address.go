package listener

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxRange bounds the ports of one range.
const maxRange = 1000

// candidates are the addresses to be tried, in this order. In listen,
// "host:ports", an empty host stands for all addresses of the machine; ports
// are numbers and ranges as "6881-6889", with commas between them, and 0 is any
// free port. The port of before, if it has one, goes first.
func candidates(listen string, before netip.AddrPort) ([]string, error) {
	host, ports, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", listen, err)
	}
	var list []string
	add := func(port uint64) { list = append(list, net.JoinHostPort(host, strconv.FormatUint(port, 10))) }
	known := uint64(before.Port())
	if known != 0 {
		add(known)
	}
	for part := range strings.SplitSeq(ports, ",") {
		first, last, ok := portRange(part)
		if !ok {
			return nil, fmt.Errorf("cannot listen on %q: the port must be a number from 0 to 65535, or a range of at most %d ports above 0",
				listen, maxRange)
		}
		for port := first; port <= last; port++ {
			if port != known || port == 0 {
				add(port)
			}
		}
	}
	return list, nil
}

func portRange(s string) (first, last uint64, ok bool) {
	low, high, ranged := strings.Cut(s, "-")
	if !ranged {
		high = low
	}
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	return first, last, err1 == nil && err2 == nil && first <= last && last-first < maxRange && !(ranged && first == 0)
}
