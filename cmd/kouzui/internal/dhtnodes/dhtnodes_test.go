package dhtnodes

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kouzui"
	"kouzui/cmd/kouzui/internal/statedir"
	"kouzui/messages"
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
	k.Close()
	kept, err := read(k.path)
	if nodes := kept[kouzui.IPv4].Nodes; err != nil || len(nodes) != 1 || nodes[0] != node.Addr {
		t.Errorf("it keeps %v, %v", kept, err)
	}
}

// Of several processes at a time, one has the id that is kept, and keeps what
// it knows. The others begin with the same nodes.
func TestOneProcessHasTheID(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path, err := statedir.Path("dht.json")
	if err != nil {
		t.Fatal(err)
	}
	saved := sample()
	if err := saved.write(path); err != nil {
		t.Fatal(err)
	}
	begin := func() (*kouzui.DHT, *Keeper) {
		return Begin(nil, "", func(text string) { t.Error(text) })
	}
	report := &messages.DHTReport{ID: [20]byte{9}, Nodes: saved[0].Nodes}
	for range 2 { // the lock is let go
		first, k := begin()
		second, other := begin()
		if first.Before[0].ID != saved[0].ID || second.Before[0].ID != [20]byte{} || second.Before[1].ID != [20]byte{} {
			t.Errorf("they begin with the ids %v and %v", first.Before[0].ID, second.Before)
		}
		if diff := cmp.Diff(first.Before[1].Nodes, second.Before[1].Nodes, comparePorts); diff != "" {
			t.Error(diff)
		}
		other.Report(report, time.Time{})
		other.Close()
		k.Close()
	}

	// The first run of all: who is the first to write is the one.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, k := begin()
	_, other := begin()
	for i, keeper := range []*Keeper{k, other} {
		report.ID[1] = byte(i)
		keeper.Report(report, time.Unix(1, 0))
		keeper.Report(report, time.Unix(1, 0).Add(saveEvery))
	}
	other.Close()
	k.Close()
	if kept, err := read(path); err != nil || kept[0].ID != [20]byte{9, 0} {
		t.Errorf("it keeps %v, %v", kept, err)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
