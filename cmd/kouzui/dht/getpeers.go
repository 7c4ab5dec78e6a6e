package dht

import (
	"context"
	"errors"
	"fmt"
	"kouzui"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/wire/magnet"
)

func newGetPeers() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "get-peers HASH",
		Short: "Look for the peers of a torrent in the DHT",
		Long: `Look for the peers of a torrent in the DHT: the nodes near to HASH are asked
(get_peers), until the eight nearest that answer at all have. HASH is an info
hash, of 40 hexadecimal digits or 32 of base32, or a magnet link. The peers are
written to stdout, a line each. They are not connected to, and nothing is
announced. Without peers the exit code is 3, without nodes 6, and 2 when
--timeout comes first.`,
		Example: `  kouzui dht get-peers 0123456789abcdef0123456789abcdef01234567
  kouzui dht get-peers 'magnet:?xt=urn:btih:...' --json | jq -r '.peers[]'
  kouzui dht get-peers HASH --listen 127.0.0.1 --dht-bootstrap 127.0.0.1:6881`,
		Args: flags.Arguments(1, 1, "one info hash"),
		RunE: func(c *cobra.Command, args []string) error {
			hash, err := infoHash(args[0])
			if err != nil {
				return err
			}
			return o.with(c, kouzui.DHT{ReadOnly: true}, func(ctx context.Context, n *node) error { return n.getPeers(ctx, hash) })
		},
	}
	o.bindTimeout(c)
	o.bind(c)
	return c
}

// infoHash reads an info hash, or that of a magnet link.
func infoHash(text string) (kouzui.Hash, error) {
	if magnet.Is(text) {
		link, err := magnet.Parse(text)
		return link.InfoHash, err
	}
	link, err := magnet.Parse("magnet:?xt=urn:btih:" + text)
	if err != nil || strings.ContainsAny(text, "&?=%") {
		return kouzui.Hash{}, exit.Usagef("", "%q is no info hash: 40 hexadecimal digits, 32 of base32, or a magnet link", text)
	}
	return link.InfoHash, nil
}

// lookupLine is what a lookup of one address family has found.
type lookupLine struct {
	head
	Family   string        `json:"family"`
	Hash     string        `json:"info_hash"`
	Peers    []string      `json:"peers"`
	Answered int           `json:"answered"`
	Seconds  float64       `json:"seconds"`
	Seeds    *int          `json:"seeds,omitempty"`
	Leechers *int          `json:"leechers,omitempty"`
	Nearest  []nearestNode `json:"nearest"`
}

type nearestNode struct {
	ID   string `json:"id"`
	Addr string `json:"addr"`
}

func (n *node) getPeers(ctx context.Context, hash kouzui.Hash) error {
	began := time.Now()
	peers, answered := 0, 0
	var failed error
	ask := func(ctx context.Context, family int) (kouzui.DHTPeers, error) {
		return n.client.DHTPeers(ctx, family, hash)
	}
	err := each(ctx, n, ask, func(found kouzui.DHTPeers) {
		peers, answered = peers+len(found.Peers), answered+found.Answered
		failed = errors.Join(failed, n.tellPeers(&found, time.Since(began)))
	})
	switch {
	case failed != nil:
		return failed
	case errors.Is(err, exit.ErrTimeout):
		return exit.Hint("--dht-bootstrap HOST:PORT names a node to begin with.", fmt.Errorf("%w before nodes of the DHT have answered", exit.ErrTimeout))
	case err != nil:
		return err
	case answered == 0:
		return exit.Errorf(exit.Network, "no node of the DHT has answered")
	case peers == 0:
		return exit.Errorf(exit.NotFound, "the DHT knows no peers of %v, by the answers of %s", hash, units.Count(answered, "node"))
	}
	return nil
}

func (n *node) tellPeers(found *kouzui.DHTPeers, took time.Duration) error {
	line := lookupLine{
		head: head{schema, "lookup"}, Family: familyNames[found.Family], Hash: found.InfoHash.String(), Peers: []string{}, Nearest: []nearestNode{},
		Answered: found.Answered, Seconds: took.Seconds(), Seeds: said(found.Seeds), Leechers: said(found.Leechers),
	}
	for _, addr := range found.Peers {
		line.Peers = append(line.Peers, addr.String())
		n.Result("%v", addr)
	}
	for _, c := range found.Nearest {
		line.Nearest = append(line.Nearest, nearestNode{idText(c.ID), c.Addr.String()})
	}
	text := fmt.Sprintf("%s: %s in answers of %s within %.1f s", line.Family, units.Count(len(found.Peers), "peer"), units.Count(found.Answered, "node"), took.Seconds())
	if found.Seeds >= 0 || found.Leechers >= 0 {
		text += fmt.Sprintf("; by their count some %s and %s", units.Count(max(found.Seeds, 0), "seed"), units.Count(max(found.Leechers, 0), "leecher"))
	}
	n.Say("%s", text)
	return n.writeJSON(line)
}

// said is a count, nil if nobody has told it.
func said(count int) *int {
	if count < 0 {
		return nil
	}
	return &count
}
