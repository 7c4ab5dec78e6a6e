package dhtnodes

import (
	"path/filepath"
	"testing"

	"kouzui"
)

// A run that ends before the DHT has reported its nodes keeps them as well.
func TestAShortRunKeepsItsNodes(t *testing.T) {
	open := func(dht *kouzui.DHT) *kouzui.Client {
		client, err := kouzui.Open(kouzui.Config{Dir: t.TempDir(), Listen: "127.0.0.1" + kouzui.Nowhere, DHT: dht})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close(t.Context()) })
		return client
	}
	status := func(client *kouzui.Client, enough func(kouzui.DHTStatus) bool) kouzui.DHTStatus {
		for {
			status, err := client.DHTStatus(t.Context(), kouzui.IPv4)
			if err != nil {
				t.Fatal(err)
			}
			if enough(status) {
				return status
			}
		}
	}
	node := status(open(&kouzui.DHT{}), func(s kouzui.DHTStatus) bool { return s.Addr.IsValid() })
	client := open(&kouzui.DHT{Bootstrap: []string{node.Addr.String()}, AtOnce: true})
	status(client, func(s kouzui.DHTStatus) bool { return s.Good > 0 })

	k := &Keeper{path: filepath.Join(t.TempDir(), "dht.json"), warn: func(text string) { t.Error(text) }}
	k.Ask(client)
	k.Save()
	kept, err := read(k.path)
	if nodes := kept[kouzui.IPv4].Nodes; err != nil || len(nodes) != 1 || nodes[0] != node.Addr {
		t.Errorf("it keeps %v, %v", kept, err)
	}
}
