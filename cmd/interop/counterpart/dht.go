//go:build linux

package counterpart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// DHT is a process with a DHT of many nodes, those of npm's bittorrent-dht.
type DHT struct {
	*Process
	// Nodes are the addresses of the first nodes, one at each host.
	Nodes   []string
	control string
}

// NodeDHTVersion is the version of npm's bittorrent-dht in the node_modules in
// folder, or why it cannot be run.
func NodeDHTVersion(folder string) (string, error) {
	return version("node", []string{"node", "--print",
		"JSON.parse(fs.readFileSync(process.argv[1])).version", filepath.Join(folder, "node_modules/bittorrent-dht/package.json")})
}

// StartDHT starts so many nodes at these hosts in turn, by the script in
// folder, and returns when each knows some others. The first node of each host
// has the port; the next port is for remote control.
func StartDHT(ctx context.Context, folder, home string, hosts []string, port, nodes int) (*DHT, error) {
	script, err := filepath.Abs(filepath.Join(folder, "dht.mjs"))
	if err != nil {
		return nil, err
	}
	control := strconv.Itoa(port + 1)
	p, err := launch(ctx, home, nil, "node", script, strings.Join(hosts, ","), strconv.Itoa(port), strconv.Itoa(nodes), control)
	if err != nil {
		return nil, err
	}
	d := &DHT{Process: p, control: "http://127.0.0.1:" + control}
	for _, host := range hosts {
		d.Nodes = append(d.Nodes, Place{host, port}.Peer())
	}
	p.Name, p.Addr = "bittorrent-dht", d.Nodes[0]
	_, err = p.started(p.Name, p.poll(ctx, listens("127.0.0.1:"+control)))
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Lookup returns the peers that a node finds, once there are some.
func (d *DHT) Lookup(ctx context.Context, hash string) (peers []string, err error) {
	err = d.ask(ctx, &peers, "lookup", hash)
	return peers, err
}

// Announce has the last node announce a peer at its own host.
func (d *DHT) Announce(ctx context.Context, hash string, port int) error {
	var failure string
	err := d.ask(ctx, &failure, "announce", hash, strconv.Itoa(port))
	if err == nil && failure != "" {
		err = errors.New(failure)
	}
	return err
}

// Greet has each node ping the one at addr, so that it comes to know them all.
// It takes a tenth of a second a node.
func (d *DHT) Greet(ctx context.Context, addr string) error {
	var greeted int
	return d.ask(ctx, &greeted, "greet", addr)
}

func (d *DHT) ask(ctx context.Context, answer any, words ...string) error {
	url := d.control
	for _, word := range words {
		url += "/" + word
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	text, err := send(request)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	return nil
}
