package kouzui_test

import (
	"errors"
	"net/netip"
	"testing"

	"kouzui"
)

// Two clients at the loopback address: one asks the other one, and there is no
// DHT of the other family.
func TestTheDHTAnswersTheProgram(t *testing.T) {
	const loopback = "127.0.0.1" + kouzui.Nowhere
	other := open(t, kouzui.Config{Listen: loopback, DHT: &kouzui.DHT{}})
	asker := open(t, kouzui.Config{Listen: loopback, DHT: &kouzui.DHT{ReadOnly: true}})
	var at netip.AddrPort
	for !at.IsValid() { // the socket is about to be bound
		status, err := other.DHTStatus(t.Context(), kouzui.IPv4)
		if err != nil {
			t.Fatal(err)
		}
		at = status.Addr
	}
	if node, err := asker.PingDHT(t.Context(), at); err != nil || node.Failure != "" || node.ID == [20]byte{} || node.Addr != at {
		t.Errorf("the node answers %+v, %v", node, err)
	}
	if found, err := asker.DHTPeers(t.Context(), kouzui.IPv4, kouzui.Hash{1}); err != nil || found.Answered != 1 || len(found.Peers) != 0 {
		t.Errorf("of an unknown torrent it knows %+v, %v", found, err)
	}
	if _, err := asker.DHTStatus(t.Context(), kouzui.IPv6); !errors.Is(err, kouzui.ErrNoDHT) {
		t.Errorf("of IPv6: %v", err)
	}
	if err := asker.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := asker.DHTPeers(t.Context(), kouzui.IPv4, kouzui.Hash{1}); !errors.Is(err, kouzui.ErrClosed) {
		t.Errorf("once it is closed: %v", err)
	}
	if _, err := new(kouzui.Client).PingDHT(t.Context(), at); !errors.Is(err, kouzui.ErrClosed) {
		t.Errorf("of no client: %v", err)
	}
}
