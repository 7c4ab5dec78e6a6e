// Package dhtnodes says with which nodes the DHT begins: those of
// --dht-bootstrap, or those that the last run knew and a few that everybody may
// ask. It keeps what the DHT knows for the next run: some nodes of each family,
// and the id by which they know us.
package dhtnodes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"kouzui"
	"kouzui/actors/world"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/statedir"
	"kouzui/messages"
)

// public are the nodes that others run for everybody's first run.
var public = []string{
	"router.bittorrent.com:6881",
	"dht.transmissionbt.com:6881",
	"router.utorrent.com:6881",
	"dht.libtorrent.org:25401",
	"dht.aelitis.com:6881",
}

// saveEvery is how often at most what is known is written while the program
// runs.
const saveEvery = 5 * time.Minute

// Flag is --dht-bootstrap.
type Flag struct{ values []string }

// Bind adds the flag to set.
func (f *Flag) Bind(set *pflag.FlagSet) {
	set.StringArrayVar(&f.values, "dht-bootstrap", nil, "enter the DHT by the node at `HOST:PORT` (repeatable), and by none of the nodes known from before or to everybody")
}

// Nodes are those of the flag. Spaces and commas separate several in one value,
// as variables of the environment have them.
func (f *Flag) Nodes() (nodes []string, err error) {
	for _, value := range f.values {
		texts := strings.FieldsFunc(value, flags.Separates)
		if len(texts) == 0 {
			texts = []string{value}
		}
		for _, text := range texts {
			if err := Check(text); err != nil {
				return nil, exit.Usagef("", "--dht-bootstrap %w", err)
			}
			nodes = append(nodes, text)
		}
	}
	return nodes, nil
}

// Check refuses what is not HOST:PORT.
func Check(node string) error {
	host, number, err := net.SplitHostPort(node)
	if port, bad := strconv.ParseUint(number, 10, 16); err != nil || bad != nil || port == 0 || host == "" {
		return fmt.Errorf("%q must be HOST:PORT", node)
	}
	return nil
}

// Keeper keeps what the DHT knows. It is safe for concurrent use. That of a
// client without DHT is nil.
type Keeper struct {
	mu    sync.Mutex
	path  string // "": nothing is kept
	known memories
	news  bool // known is not what was written last
	saved time.Time
	warn  func(string)

	unlock func() // lets another process keep what it knows; nil: we have no lock
}

// Begin returns with what the DHT begins. If the user has given nodes, the DHT
// may be another one than everybody's: then nothing is read and nothing kept.
// The same holds for a client whose sockets are at the loopback address host:
// it reaches nobody's nodes but those on this machine.
func Begin(given []string, host string, warn func(string)) (*kouzui.DHT, *Keeper) {
	k := &Keeper{warn: warn}
	if len(given) > 0 {
		return &kouzui.DHT{Bootstrap: given}, k
	}
	if isLoopback(host) {
		return &kouzui.DHT{}, k
	}
	path, err := statedir.Path("dht.json")
	if err != nil {
		return &kouzui.DHT{Bootstrap: public}, k // without a home nothing is kept
	}
	k.path = path
	if k.known, err = read(path); err != nil {
		warn(fmt.Sprintf("%s cannot be used, so the DHT begins anew: %s", path, exit.Words(err)))
	}
	if hasID(k.known) && !k.claim() {
		// Two nodes with the same id would take each other's place with others.
		for family := range k.known {
			k.known[family].ID = [20]byte{}
		}
		k.path = ""
	}
	return &kouzui.DHT{Bootstrap: public, Before: k.known}, k
}

func hasID(m memories) bool {
	return slices.ContainsFunc(m[:], func(m kouzui.DHTMemory) bool { return m.ID != [20]byte{} })
}

// claim tells whether this process is the one that keeps what its DHT knows.
// Others that run at the same time begin with the same nodes, and keep nothing.
// Where no file can be locked, each process is.
func (k *Keeper) claim() bool {
	if k.unlock != nil {
		return true
	}
	unlock, err := statedir.Lock(k.path + ".lock")
	if errors.Is(err, world.ErrLocked) {
		return false
	}
	k.unlock = unlock
	return true
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// keeps tells whether anything is kept.
func (k *Keeper) keeps() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.path != ""
}

// Report takes how the DHT stands. Nodes that were known stay until others are.
func (k *Keeper) Report(r *messages.DHTReport, now time.Time) {
	if !k.keeps() || len(r.Nodes) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known[r.Family] = kouzui.DHTMemory{ID: r.ID, External: r.External.Addr(), Nodes: r.Nodes}
	k.news = true
	switch {
	case k.saved.IsZero():
		k.saved = now
	case now.Sub(k.saved) >= saveEvery:
		k.saved = now
		k.save()
	}
}

// lastWait is how long Ask waits, for each address family. The DHT answers at
// once, unless the machine is very busy.
const lastWait = 100 * time.Millisecond

// Ask asks a client that is about to be closed for what its DHT knows: a short
// run may end before the DHT reports most of its nodes.
func (k *Keeper) Ask(c *kouzui.Client) {
	if !k.keeps() {
		return
	}
	for _, family := range []int{kouzui.IPv4, kouzui.IPv6} {
		if !c.HasDHT(family) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), lastWait)
		if status, err := c.DHTStatus(ctx, family); err == nil {
			k.Report(&status.DHTReport, time.Now())
		}
		cancel()
	}
}

// Close writes what is known, if it is not written yet. The next process may
// begin with it.
func (k *Keeper) Close() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.save()
	if k.unlock != nil {
		k.unlock()
		k.unlock = nil
	}
}

func (k *Keeper) save() {
	if !k.news || k.path == "" {
		return
	}
	k.news = false
	if !k.claim() {
		k.path = ""
		return
	}
	if err := k.known.write(k.path); err != nil {
		k.warn(fmt.Sprintf("the nodes of the DHT cannot be kept for the next run: %s", exit.Words(err)))
		k.path = "" // one warning is enough
	}
}
