//go:build linux

package counterpart

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// transmission 3.00 ignores peers in 127/8 that a tracker returns, and cannot
// be given the address of a peer, so it has to be dialled. It requests data
// only after its choke round of 10 s.
var transmission = Client{
	Name: "transmission", LeavesOutEmpty: true, EvenPieces: true,
	Encryption: []Encryption{EncryptIfWanted, EncryptAll},
	program:    "transmission-daemon",
	version:    []string{"transmission-daemon", "--version"},
	start:      startTransmission,
}

func startTransmission(ctx context.Context, t Task) (*Process, error) {
	encryption := map[Encryption]int{EncryptNothing: 0, EncryptIfWanted: 1, EncryptAll: 2}
	settings, err := json.Marshal(map[string]any{
		"bind-address-ipv4": t.Place.Host, "peer-port": t.Place.Port, "download-dir": t.Dir,
		"rpc-bind-address": "127.0.0.1", "rpc-port": t.Place.Port + 1, "rpc-whitelist-enabled": false,
		"dht-enabled": len(t.DHT) > 0, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
		"port-forwarding-enabled": false, "encryption": encryption[t.Encryption], "preallocation": 0,
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(t.Home, "settings.json"), settings, 0o600); err != nil {
		return nil, err
	}
	if len(t.DHT) > 0 {
		// Of nodes in a dht.bootstrap it would ask one every 15 s. Here it asks the
		// first eight in 16 s, and then also one every 15 s. After the last one it
		// would look up a public name, and with every node four times over no test
		// lasts so long.
		var nodes []byte
		for _, node := range slices.Repeat(t.DHT, 4) {
			addr, err := netip.ParseAddrPort(node)
			if err != nil {
				return nil, err
			}
			nodes = binary.BigEndian.AppendUint16(append(nodes, addr.Addr().AsSlice()...), addr.Port())
		}
		known := fmt.Appendf(nil, "d5:nodes%d:%se", len(nodes), nodes)
		if err := os.WriteFile(filepath.Join(t.Home, "dht.dat"), known, 0o600); err != nil {
			return nil, err
		}
	}
	p, err := launch(ctx, t.Home, nil, "transmission-daemon", "--foreground", "--config-dir", t.Home, "--log-info")
	if err != nil {
		return nil, err
	}
	rpc := transmissionRPC{url: "http://127.0.0.1:" + strconv.Itoa(t.Place.Port+1) + "/transmission/rpc"}
	p.complete = func(ctx context.Context) error { return p.poll(ctx, rpc.complete) }
	err = p.poll(ctx, func(ctx context.Context) (bool, error) {
		err := rpc.call(ctx, "torrent-add", map[string]any{"filename": t.torrent(), "download-dir": t.Dir}, nil)
		return err == nil, err
	})
	if err == nil && t.Seed {
		err = p.complete(ctx)
	}
	return p.started("transmission", err)
}

// transmissionRPC keeps the session id that each call must have. The refusal of
// the first call contains it.
type transmissionRPC struct{ url, session string }

func (r *transmissionRPC) call(ctx context.Context, method string, arguments, result any) error {
	const id = "X-Transmission-Session-Id"
	question := map[string]any{"method": method, "arguments": arguments}
	answer := struct {
		Result    string
		Arguments any
	}{Arguments: result}
	err := callJSON(ctx, r.url, http.Header{id: {r.session}}, question, &answer)
	var refused *statusError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusConflict {
		r.session = refused.Header.Get(id)
		err = callJSON(ctx, r.url, http.Header{id: {r.session}}, question, &answer)
	}
	if err == nil && answer.Result != "success" {
		err = fmt.Errorf("%s: %s", method, answer.Result)
	}
	return err
}

func (r *transmissionRPC) complete(ctx context.Context) (bool, error) {
	const seeding = 6
	var result struct {
		Torrents []struct {
			Status        int
			LeftUntilDone int64
			ErrorString   string
		}
	}
	err := r.call(ctx, "torrent-get", map[string]any{"fields": []string{"status", "leftUntilDone", "errorString"}}, &result)
	if err != nil || len(result.Torrents) != 1 {
		return false, err
	}
	t := result.Torrents[0]
	if t.ErrorString != "" {
		err = errors.New(t.ErrorString)
	}
	return t.Status == seeding && t.LeftUntilDone == 0, err
}
