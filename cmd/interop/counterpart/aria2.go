//go:build linux

package counterpart

import (
	"context"
	"strconv"
)

// aria2 waits about 4 s for its own timers before it transfers data. It cannot
// be given the address of a peer.
var aria2 = Client{
	Name:    "aria2",
	program: "aria2c",
	version: []string{"aria2c", "--version"},
	start:   startAria2,
}

func startAria2(ctx context.Context, t Task) (*Process, error) {
	control := strconv.Itoa(t.Place.Port + 1)
	p, err := launch(ctx, t.Home, nil, "aria2c", "--no-conf", "--dir="+t.Dir, "--interface="+t.Place.Host,
		"--listen-port="+strconv.Itoa(t.Place.Port), "--enable-rpc", "--rpc-listen-port="+control,
		"--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--disable-ipv6",
		"--bt-external-ip="+t.Place.Host, "--check-integrity", "--bt-seed-unverified=false", "--seed-ratio=0", "--file-allocation=none",
		"--summary-interval=0", "--show-console-readout=false", t.Torrent)
	if err != nil {
		return nil, err
	}
	complete := func(ctx context.Context) (bool, error) {
		const method = "aria2.tellActive"
		var answer struct {
			Result []struct {
				Seeder string
			}
		}
		err := callJSON(ctx, "http://127.0.0.1:"+control+"/jsonrpc", nil,
			map[string]any{"jsonrpc": "2.0", "id": method, "method": method}, &answer)
		return len(answer.Result) == 1 && answer.Result[0].Seeder == "true", err
	}
	p.complete = func(ctx context.Context) error { return p.poll(ctx, complete) }
	if t.Seed {
		return p.started("aria2", p.Complete(ctx))
	}
	return p.started("aria2", p.poll(ctx, listens(t.Place.Peer())))
}
