//go:build !race

package real

import (
	"testing"

	"kouzui/messages"
)

func TestSendingDatagramsAllocatesNothing(t *testing.T) {
	a, b := bind(t, Packets{}, loopback), bind(t, Packets{}, loopback)
	for name, batch := range map[string][]messages.Datagram{
		"one":          datagrams(b.Addr(), 100),
		"several runs": datagrams(b.Addr(), 100, 100, 90, 200, 200, 200),
	} {
		if n := testing.AllocsPerRun(20, func() { a.Send(batch) }); n > 0.5 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
