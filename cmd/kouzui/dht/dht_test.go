package dht

import (
	"context"
	"errors"
	"net"
	"testing"

	"kouzui"
	"kouzui/cmd/kouzui/internal/exit"
)

// An interrupt is told also if one address family has answered by then.
func TestAnInterruptIsToldBesideAnAnswer(t *testing.T) {
	client, err := kouzui.Open(kouzui.Config{Listen: net.JoinHostPort("", "none"), DHT: &kouzui.DHT{}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ask := func(ctx context.Context, family int) (int, error) {
		if family == kouzui.IPv4 {
			return family, nil
		}
		<-ctx.Done()
		return 0, ctx.Err()
	}
	taken := 0
	err = each(ctx, &node{client: client}, ask, func(int) {
		taken++
		cancel()
	})
	if !errors.Is(err, exit.ErrInterrupted) || taken != 1 {
		t.Errorf("%v with %d answers", err, taken)
	}
}
