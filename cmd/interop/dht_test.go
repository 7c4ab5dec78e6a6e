//go:build linux

package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
)

const (
	// builtProgram and ownNetwork are set in the environment of a test that runs
	// once more in a network of its own.
	builtProgram = "KOUZUI_INTEROP_PROGRAM"
	ownNetwork   = "KOUZUI_INTEROP_NETWORK"
	// nodes is how many there are besides the clients, at nodeHosts addresses.
	nodes, nodeHosts = 60, 15
	dhtTimeout       = 4 * time.Minute
	hosts            = 60 // addresses of the network, those of nodes first
)

// speakDHT are the clients that find peers by the DHT within seconds.
// Transmission announces after two minutes, and of rtorrent no recipe is known
// by which it finds a peer.
var speakDHT = []string{"libtorrent", "aria2"}

// inOwnNetwork runs the test once more, as a process in a network of its own,
// and tells whether this is that process. The network has no way out, and
// addresses that are not of loopback, in which transmission's DHT takes nodes
// for lies.
func inOwnNetwork(t *testing.T) bool {
	if os.Getenv(ownNetwork) != "" {
		setup := []string{"link set lo up"}
		for n := range hosts {
			setup = append(setup, fmt.Sprintf("addr add %s/24 dev lo", host(n)))
		}
		ip := exec.Command("ip", "-batch", "-")
		ip.Stdin = strings.NewReader(strings.Join(setup, "\n") + "\n")
		if said, err := ip.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return true
	}
	installed(t, func() (string, error) {
		if os.Geteuid() != 0 {
			return "", fmt.Errorf("only root can make a network")
		}
		_, err := exec.LookPath("ip")
		return "", err
	})
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	self.Env = append(os.Environ(), ownNetwork+"=1", builtProgram+"="+program)
	self.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	said, err := self.CombinedOutput()
	t.Logf("%s", said)
	if err != nil {
		t.Error(err)
	}
	return false
}

func host(n int) string { return fmt.Sprintf("10.77.0.%d", 1+n) }

var given atomic.Int32 // hosts

// place is a host and ports of its own.
func place() counterpart.Place {
	n := int(given.Add(1))
	return counterpart.Place{Host: host(nodeHosts + n%(hosts-nodeHosts)), Port: 7000 + 2*n}
}

// byDHT is a task in which the DHT alone brings peers.
func byDHT(task counterpart.Task, dht *counterpart.DHT) counterpart.Task {
	task.Place, task.DHT = place(), dht.Nodes
	return task
}

// TestDHT: by the DHT alone, nodes of another program find a peer that kouzui
// announced, and kouzui one that they announced; each client downloads from
// kouzui, and kouzui from each client; and all of them are one swarm.
func TestDHT(t *testing.T) {
	version := installed(t, func() (string, error) { return counterpart.NodeDHTVersion(npm) })
	if !inOwnNetwork(t) {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), dhtTimeout)
	defer cancel()
	var at []string
	for n := range nodeHosts {
		at = append(at, host(n))
	}
	dht, err := counterpart.StartDHT(ctx, npm, t.TempDir(), at, 6881, nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-dht.Exited():
			t.Errorf("%s ended before its time", dht.Name)
		default:
		}
		dht.Stop()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", dht.Name, dht.LogTail())
		}
	})

	t.Run("clients", func(t *testing.T) {
		t.Run("bittorrent-dht/finds", func(t *testing.T) {
			t.Parallel()
			runs.begin(t, dht.Name, version, "finds", "file", "")
			content := trackerless(t)
			seed := start(t, ctx, kouzui, byDHT(seedTask(t, kouzui, content), dht))
			peers, err := dht.Lookup(ctx, content.Info.InfoHash.String())
			if err != nil || !slices.Equal(peers, []string{seed.Addr}) {
				t.Errorf("found are %v, %v, and the seed is at %s", peers, err, seed.Addr)
			}
		})
		t.Run("bittorrent-dht/announces", func(t *testing.T) {
			t.Parallel()
			runs.begin(t, dht.Name, version, "announces", "file", "kouzui")
			content := trackerless(t)
			// A seed without a DHT, at the host of the node that announces.
			task := seedTask(t, kouzui, content)
			task.Place = counterpart.Place{Host: at[nodeHosts-1], Port: 6999}
			start(t, ctx, kouzui, task)
			if err := dht.Announce(ctx, content.Info.InfoHash.String(), task.Place.Port); err != nil {
				t.Fatal(err)
			}
			to := byDHT(newTask(t, kouzui, content), dht)
			fetches(t, ctx, start(t, ctx, kouzui, to), kouzui, to.Dir, content)
		})
		for _, other := range counterpart.Clients {
			if !slices.Contains(speakDHT, other.Name) {
				continue
			}
			for _, way := range []struct {
				name        string
				seed, leech counterpart.Client
			}{{"downloads", other, kouzui}, {"seeds", kouzui, other}} {
				t.Run(other.Name+"/"+way.name, func(t *testing.T) {
					t.Parallel()
					runs.begin(t, other.Name, installed(t, other.Version), way.name, "file", "DHT")
					content := trackerless(t)
					start(t, ctx, way.seed, byDHT(seedTask(t, way.seed, content), dht))
					// Who looks before the seed is announced looks again much later.
					if _, err := dht.Lookup(ctx, content.Info.InfoHash.String()); err != nil {
						t.Fatal(err)
					}
					to := byDHT(newTask(t, way.leech, content), dht)
					fetches(t, ctx, start(t, ctx, way.leech, to), way.leech, to.Dir, content)
				})
			}
		}
		t.Run("all of them", func(t *testing.T) {
			t.Parallel()
			runs.begin(t, "all of them", version, "takes part", "file", "DHT")
			content := trackerless(t)
			start(t, ctx, kouzui, byDHT(seedTask(t, kouzui, content), dht))
			type member struct {
				*counterpart.Process
				client counterpart.Client
				dir    string
			}
			var members []member
			for _, client := range append(slices.Clone(counterpart.Clients), kouzui) {
				if slices.Contains(speakDHT, client.Name) || client.Name == kouzui.Name {
					installed(t, client.Version)
					task := byDHT(newTask(t, client, content), dht)
					task.Stay = true
					members = append(members, member{start(t, ctx, client, task), client, task.Dir})
				}
			}
			for _, m := range members {
				if err := m.Complete(ctx); err != nil {
					t.Error(err)
				} else if err := content.Verify(m.dir, m.client.LeavesOutEmpty); err != nil {
					t.Errorf("%s: %v", m.Name, err)
				}
			}
		})
	})
}

// trackerless is a content with an info hash of its own, and no tracker.
func trackerless(t *testing.T) *noise.Content {
	t.Helper()
	content, err := noise.New(t.TempDir(), strings.ReplaceAll(t.Name(), "/", " "), 64<<10, kinds[0].files)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
