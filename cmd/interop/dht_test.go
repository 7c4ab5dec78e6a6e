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
	"kouzui/wire/magnet"
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

// speakDHT are the clients that find peers by the DHT. Of rtorrent no recipe is
// known by which it finds one, and qBittorrent is a libtorrent.
var speakDHT = counterpart.Clients[:3]

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

// linked is a task that downloads a content of which the info hash alone is
// known.
func linked(t *testing.T, client counterpart.Client, c *noise.Content, dht *counterpart.DHT) counterpart.Task {
	task := byDHT(newTask(t, client, c), dht)
	task.Magnet = magnet.Link{InfoHash: c.Info.InfoHash}.String()
	return task
}

// TestDHT: by the DHT alone, nodes of another program find a peer that kouzui
// announced, and kouzui one that they announced; so do each client and kouzui,
// of which the downloader has a magnet link without trackers and peers; and all
// of them are one swarm, in which no client has the content.
func TestDHT(t *testing.T) {
	t.Parallel()
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
			runs.begin(t, dht.Name, version, "announces", "magnet link", "kouzui")
			content := trackerless(t)
			// A seed without a DHT, at the host of the node that announces.
			task := seedTask(t, kouzui, content)
			task.Place = counterpart.Place{Host: at[nodeHosts-1], Port: 6999}
			start(t, ctx, kouzui, task)
			if err := dht.Announce(ctx, content.Info.InfoHash.String(), task.Place.Port); err != nil {
				t.Fatal(err)
			}
			to := linked(t, kouzui, content, dht)
			fetches(t, ctx, start(t, ctx, kouzui, to), kouzui, to.Dir, content)
		})
		for _, other := range speakDHT {
			for _, way := range []struct {
				name        string
				seed, leech counterpart.Client
			}{{"downloads", other, kouzui}, {"seeds", kouzui, other}} {
				t.Run(other.Name+"/"+way.name, func(t *testing.T) {
					t.Parallel()
					runs.begin(t, other.Name, installed(t, other.Version), way.name, "magnet link", "DHT")
					content := trackerless(t)
					start(t, ctx, way.seed, byDHT(seedTask(t, way.seed, content), dht))
					// Who looks before the seed is announced looks again much later.
					if _, err := dht.Lookup(ctx, content.Info.InfoHash.String()); err != nil {
						t.Fatal(err)
					}
					to := linked(t, way.leech, content, dht)
					to.Closed = way.leech.Name == kouzui.Name // the other cannot find it instead
					fetches(t, ctx, start(t, ctx, way.leech, to), way.leech, to.Dir, content)
				})
			}
		}
		t.Run("all of them", func(t *testing.T) {
			t.Parallel()
			runs.begin(t, "all of them", version, "takes part", "magnet link", "DHT")
			trackerlessSwarm(t, ctx, dht)
		})
	})
}

// trackerlessSwarm begins without a complete client: one of each program has
// its share of the pieces, and one of each a magnet link. In the end all are
// complete.
func trackerlessSwarm(t *testing.T, ctx context.Context, dht *counterpart.DHT) {
	content, clients := trackerless(t), append(slices.Clone(speakDHT), kouzui)
	parts := split(t, ctx, content, len(clients))
	var all members
	for i, client := range clients {
		installed(t, client.Version)
		task := byDHT(newTask(t, client, content), dht)
		task.Dir, task.Stay = parts[i], true
		all.join(t, ctx, client, task)
	}
	for _, client := range clients {
		task := linked(t, client, content, dht)
		task.Stay = true
		all.join(t, ctx, client, task)
	}
	all.complete(t, ctx, content)
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
