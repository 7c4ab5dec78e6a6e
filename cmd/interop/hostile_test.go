//go:build linux

package interop

import (
	"context"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kouzui/actors/lab/hostile"
	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// crowd is how many hostile connections there are at a time.
const crowd = 500

// mostResident is how much memory a client may take, whatever its peers do.
const mostResident = 64 << 20

// plain is kouzui built without the race detector, which needs memory itself.
func plain(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kouzui")
	if out, err := exec.Command("go", "build", "-o", path, "../kouzui").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// crowdAt plays hostile scripts, one after the other, on many connections to a
// client. It returns when all connections have begun; they end with ctx.
func crowdAt(t *testing.T, ctx context.Context, torrent *metainfo.Torrent, to netip.AddrPort, from func(i int) netip.Addr, scripts []hostile.Script) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all, begun sync.WaitGroup
	begun.Add(crowd)
	for i := range crowd {
		all.Go(func() {
			first := sync.OnceFunc(begun.Done)
			for n := i; ctx.Err() == nil; n += crowd {
				script := scripts[(i+n/crowd)%len(scripts)]
				play := script.Act
				script.Act = func(c *hostile.Conn) {
					first()
					play(c)
				}
				_, _ = hostile.Run(ctx, torrent, from(i), to, script, uint64(n))
				select { // as one that comes again as soon as it is thrown out
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
			}
			first()
		})
	}
	begun.Wait()
	stop = sync.OnceFunc(func() {
		cancel()
		all.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// TestAHostileCrowd downloads from one honest seed while hundreds of hostile
// peers attack, from one address and from many. Then the download seeds, still
// attacked, to a client at another address. The rate is limited so that the
// attack has time.
func TestAHostileCrowd(t *testing.T) {
	built := plain(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*transferTimeout)
	defer cancel()
	client := counterpart.Kouzui(built, "--max-download-limit", "16M")
	content := oneFile(t, 96<<20)
	seeder := counterpart.Kouzui(built)
	seed := seedTask(t, seeder, content)
	start(t, ctx, seeder, seed)
	task := newTask(t, client, content)
	task.Stay, task.Peers = true, []string{seed.Place.Peer()}
	victim := start(t, ctx, client, task)
	begun := time.Now()
	crowdAt(t, ctx, content.Info, netip.MustParseAddrPort(task.Place.Peer()), func(i int) netip.Addr {
		if i < crowd/2 {
			return netip.MustParseAddr("127.0.77.1")
		}
		return netip.AddrFrom4([4]byte{127, 0, 78, byte(i)})
	}, hostile.Scripts)
	if err := victim.Complete(ctx); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begun)
	if err := content.Verify(task.Dir, false); err != nil {
		t.Error(err)
	}
	usage := victim.Usage()
	undisturbed := float64(content.Info.Length) / (16 << 20)
	t.Logf("%.0f %% of the speed that is allowed, %.1f MiB resident at most, %v of CPU",
		100*undisturbed/took.Seconds(), float64(usage.Peak)/(1<<20), usage.CPU)
	if usage.Peak > mostResident {
		t.Errorf("%d MiB resident, more than %d", usage.Peak>>20, mostResident>>20)
	}
	// Nobody is at the addresses that the crowd tells in peer exchange.
	log := strings.ReplaceAll(victim.LogTail(), `"reason":"dial failed"`, "")
	if strings.Contains(log, "panic") || strings.Contains(log, "failed") || strings.Contains(log, `"type":"restart"`) {
		t.Errorf("something failed:\n%s", log)
	}
}

// TestOneAddressKeepsNobodyOut holds as many connections from one address as a
// seed accepts, while a client at another address downloads.
func TestOneAddressKeepsNobodyOut(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
	defer cancel()
	content := oneFile(t, 4<<20)
	seed := seedTask(t, kouzui, content)
	start(t, ctx, kouzui, seed)
	crowdAt(t, ctx, content.Info, netip.MustParseAddrPort(seed.Place.Peer()), func(int) netip.Addr {
		return netip.MustParseAddr("127.0.77.1")
	}, slices.DeleteFunc(slices.Clone(hostile.Scripts), func(s hostile.Script) bool { return s.Ends }))
	task := newTask(t, kouzui, content)
	task.Peers = []string{seed.Place.Peer()}
	fetches(t, ctx, start(t, ctx, kouzui, task), kouzui, task.Dir, content)
}

// oneFile is a torrent of one file.
func oneFile(t *testing.T, length int64) *noise.Content {
	t.Helper()
	content, err := noise.New(t.TempDir(), "noise", 256<<10, []metainfo.FileSpec{{Length: length}})
	if err != nil {
		t.Fatal(err)
	}
	return content
}
