package kouzui_test

import (
	"errors"
	"net/netip"
	"testing"

	"kouzui"
	"kouzui/actors/world/fake"
	"kouzui/actors/world/real"
	"kouzui/wire/buffer"
)

// overFake is a client whose datagrams the test sees.
func overFake(t *testing.T, listen string, packets *fake.Packets) *kouzui.Client {
	pool := buffer.NewPool(16)
	world := real.New(real.Options{Pool: pool})
	world.Packets = packets
	return open(t, kouzui.Config{Listen: listen, World: world, Pool: pool})
}

// Datagrams use the address and the port of TCP. A fake socket has port 6881
// for any.
func TestWhereDatagramsLeave(t *testing.T) {
	for listen, want := range map[string][]string{
		"127.0.0.1:none": {"127.0.0.1:6881"},
		kouzui.Nowhere:   {"0.0.0.0:6881", "[::]:6881"},
	} {
		packets := new(fake.Packets)
		overFake(t, listen, packets)
		for range want {
			if got := packets.AwaitSocket().Addr().String(); got != want[0] && got != want[len(want)-1] {
				t.Errorf("%s: %s, want %s", listen, got, want)
			}
		}
	}
	packets := new(fake.Packets)
	client := overFake(t, "127.0.0.1:0", packets)
	if addr, err := client.Addr(t.Context()); err != nil || packets.AwaitSocket().Addr() != addr {
		t.Errorf("datagrams do not use %v (%v)", addr, err)
	}
}

// Somebody who listens to events late hears of it as well.
func TestDatagramsThatCannotLeave(t *testing.T) {
	broken := errors.New("operation not permitted")
	packets := &fake.Packets{BindError: func(netip.AddrPort) error { return broken }}
	client := overFake(t, "127.0.0.1:none", packets)
	for range 2 {
		for e := range client.Events(t.Context()) {
			if failed, is := e.(kouzui.SocketFailed); is {
				if failed.Addr.String() != "127.0.0.1:0" || !errors.Is(failed.Err, broken) {
					t.Errorf("%+v", failed)
				}
				break
			}
		}
	}
}
