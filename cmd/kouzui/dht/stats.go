package dht

import (
	"cmp"
	"context"
	"errors"
	"kouzui"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
)

// usualStay is the default of --for: after it our neighbours know us.
const usualStay = 30 * time.Second

func newStats() *cobra.Command {
	var o options
	var stay time.Duration
	c := &cobra.Command{
		Use:   "stats",
		Short: "Be a node of the DHT for a while, and show its table",
		Long: `Be a node of the DHT for a while, and then show, for IPv4 and IPv6, how it
stands: id, address, how we are seen by others, how many nodes are good (they
have answered or asked within 15 minutes) and known, in all and by bucket, the
lookups, and what others have announced here. Bucket 0 has the nodes farthest
from us. If no node was met, the exit code is 6.`,
		Example: `  kouzui dht stats
  kouzui dht stats --for 5m --json | jq '{family, good, known}'
  kouzui dht stats --for 0 # until Ctrl-C`,
		Args: flags.Arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if stay < 0 {
				return exit.Usagef("", "--for cannot be negative")
			}
			return o.with(c, kouzui.DHT{AtOnce: true}, func(ctx context.Context, n *node) error { return n.stats(ctx, stay) })
		},
	}
	flags.Group(c, "Basic", func(f *pflag.FlagSet) {
		flags.Duration(f, &stay, "for", usualStay, "be a node for `TIME` (0: until an interrupt)")
		flags.Duration(f, &o.timeout, "timeout", 0, "give up after `TIME`, and show what is known then (0: never)")
	})
	o.bind(c)
	return c
}

// tableLine is how the DHT of an address family stands.
type tableLine struct {
	head
	Family   string       `json:"family"`
	ID       string       `json:"id"`
	Addr     string       `json:"addr,omitempty"`
	External string       `json:"external,omitempty"`
	Good     int          `json:"good"`
	Known    int          `json:"known"`
	Lookups  int          `json:"lookups"`
	Torrents int          `json:"torrents"`
	Peers    int          `json:"peers"`
	Buckets  []bucketLine `json:"buckets"`
}

type bucketLine struct {
	Good   int `json:"good"`
	Known  int `json:"known"`
	Room   int `json:"room"`
	Spares int `json:"spares"`
}

func (n *node) stats(ctx context.Context, stay time.Duration) error {
	var up <-chan time.Time
	if stay > 0 {
		timer := time.NewTimer(stay)
		defer timer.Stop()
		up = timer.C
		n.Say("in the DHT for %v", stay)
	} else {
		n.Say("in the DHT until an interrupt")
	}
	var ended error
	select {
	case <-up:
	case <-ctx.Done():
		if ended = load.Why(ctx); stay == 0 && errors.Is(ended, exit.ErrInterrupted) {
			ended = nil
		}
	}
	var tables []kouzui.DHTStatus
	// What is known is shown also after an interrupt.
	soon, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), closing, exit.ErrTimeout)
	defer cancel()
	err := each(soon, n, n.client.DHTStatus, func(s kouzui.DHTStatus) { tables = append(tables, s) })
	slices.SortFunc(tables, func(a, b kouzui.DHTStatus) int { return cmp.Compare(a.Family, b.Family) })
	known := 0
	var failed error
	for i := range tables {
		known += tables[i].Known
		failed = errors.Join(failed, n.tellTable(&tables[i]))
	}
	if err = cmp.Or(failed, ended, err); err == nil && known == 0 && stay > 0 {
		err = exit.Errorf(exit.Network, "no node of the DHT has answered")
	}
	return err
}

func (n *node) tellTable(s *kouzui.DHTStatus) error {
	line := tableLine{
		head: head{schema, "table"}, Family: familyNames[s.Family], ID: idText(s.ID), Addr: addrText(s.Addr), External: addrText(s.External),
		Good: s.Good, Known: s.Known, Lookups: s.Lookups, Torrents: s.Torrents, Peers: s.Peers, Buckets: []bucketLine{},
	}
	n.Result("%s: %d good nodes of %d", line.Family, s.Good, s.Known)
	n.Result("  id       %s", line.ID)
	n.Result("  address  %s", cmp.Or(line.Addr, "none: no socket is bound"))
	n.Result("  seen as  %s", cmp.Or(line.External, "not known: too few nodes have told"))
	n.Result("  lookups  %d", s.Lookups)
	n.Result("  stored   %s, %s", units.Count(s.Torrents, "torrent"), units.Count(s.Peers, "peer"))
	n.Result("  bucket   good known  room")
	for i, b := range s.Buckets {
		line.Buckets = append(line.Buckets, bucketLine{b.Good, b.Known, b.Room, b.Spares})
		n.Result("  %6d %6d %5d %5d", i, b.Good, b.Known, b.Room)
	}
	return n.writeJSON(line)
}
