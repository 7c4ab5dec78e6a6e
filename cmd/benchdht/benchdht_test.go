//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Clients take turns; one that misses is shown so and holds up nobody, and any
// other failure ends the bench.
func TestClientsTakeTurns(t *testing.T) {
	chosen := []client{{name: "a"}, {name: "b"}, {name: "c"}}
	var order []string
	took, err := takeTurns(chosen, 2, func(c client, round int) (time.Duration, error) {
		order = append(order, c.name)
		if c.name == "c" || c.name == "b" && round == 0 {
			return 0, errMissed
		}
		return time.Duration(1+round) * time.Second, nil
	})
	if err != nil || !slices.Equal(order, []string{"a", "b", "c", "a", "b", "c"}) {
		t.Errorf("%v fetched: %v", order, err)
	}
	table := fetchTable(chosen, 2, took)
	for _, row := range []string{`a +\| +1.50 \(1.00–2.00\) `, `b +\| 2.00; 1 not within 2m0s `, `c +\| +–; 2 not within 2m0s `} {
		if !regexp.MustCompile(row).MatchString(table) {
			t.Errorf("no row %s in\n%s", row, table)
		}
	}
	broken := errors.New("broken")
	if _, err := takeTurns(chosen, 1, func(client, int) (time.Duration, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("a client that fails: %v", err)
	}
}

// No client is told of an address elsewhere, and each fetches the magnet link
// by the node.
func TestClientsKeepToTheLoopback(t *testing.T) {
	const magnet, node = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567", "127.0.0.1:7001"
	for _, c := range clients {
		words, err := c.command(magnet, node, t.TempDir(), "7002")
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(words, " ")
		if !slices.Contains(words, magnet) || !strings.Contains(all, node) {
			t.Errorf("%s is run as %s", c.name, all)
		}
		for _, found := range regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`).FindAllString(all, -1) {
			if ip, err := netip.ParseAddr(found); err != nil || !ip.IsLoopback() {
				t.Errorf("%s is told of %s", c.name, found)
			}
		}
		if strings.Contains(fmt.Sprint(words), "://") {
			t.Errorf("%s is told of a URL: %s", c.name, all)
		}
	}
}
