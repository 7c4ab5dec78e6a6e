//go:build linux

package counterpart

import (
	"context"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"strconv"
)

// aria2 waits about 4 s for its own timers before it transfers data. It cannot
// be given the address of a peer.
var aria2 = Client{
	Name:       "aria2",
	Encryption: []Encryption{EncryptIfWanted, EncryptHandshake, EncryptAll},
	program:    "aria2c",
	version:    []string{"aria2c", "--version"},
	start:      startAria2,
}

func startAria2(ctx context.Context, t Task) (*Process, error) {
	control := strconv.Itoa(t.Place.Port + 1)
	program, args := t.command("aria2c", "--no-conf", "--dir="+t.Dir, "--interface="+t.Place.Host,
		"--listen-port="+strconv.Itoa(t.Place.Port), "--enable-rpc", "--rpc-listen-port="+control,
		"--enable-dht="+strconv.FormatBool(t.UDP || len(t.DHT) > 0), "--dht-listen-port="+strconv.Itoa(t.Place.Port), "--dht-file-path="+filepath.Join(t.Home, "dht.dat"),
		"--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false", "--disable-ipv6",
		"--bt-external-ip="+t.Place.Host, "--check-integrity", "--bt-seed-unverified=false", "--seed-ratio=0", "--file-allocation=none",
		"--summary-interval=0", "--show-console-readout=false", t.torrent())
	if len(t.DHT) > 0 {
		args = append(args, "--dht-entry-point="+t.DHT[0])
	}
	switch t.Encryption {
	case EncryptHandshake:
		args = append(args, "--bt-require-crypto")
	case EncryptAll:
		args = append(args, "--bt-force-encryption")
	}
	p, err := launch(ctx, t.Home, nil, program, args...)
	if err != nil {
		return nil, err
	}
	rpc := &http.Client{Transport: &http.Transport{DialContext: t.dial()}}
	complete := func(ctx context.Context) (bool, error) {
		const method = "aria2.tellActive"
		var answer struct {
			Result []struct {
				Seeder, Bitfield string
				Bittorrent       struct{ Info *struct{} } // nil: this is the download of a link's metadata
			}
		}
		err := callThrough(ctx, rpc, "http://127.0.0.1:"+control+"/jsonrpc", nil,
			map[string]any{"jsonrpc": "2.0", "id": method, "method": method}, &answer)
		if err != nil || len(answer.Result) != 1 || answer.Result[0].Bittorrent.Info == nil {
			return false, err
		}
		if t.Watch != nil {
			t.Watch(Progress{Pieces: setBits(answer.Result[0].Bitfield), Redundant: -1})
		}
		return answer.Result[0].Seeder == "true", nil
	}
	p.complete = func(ctx context.Context) error {
		defer rpc.CloseIdleConnections()
		return p.poll(ctx, complete)
	}
	if t.Seed {
		return p.started("aria2", p.Complete(ctx))
	}
	return p.started("aria2", p.poll(ctx, accepts(t.dial(), t.Place.Peer())))
}

// setBits are the numbers of the bits that are set in a bitfield written in
// hexadecimal digits.
func setBits(digits string) (set []int) {
	raw, _ := hex.DecodeString(digits)
	for i, b := range raw {
		for k := range 8 {
			if b&(0x80>>k) != 0 {
				set = append(set, 8*i+k)
			}
		}
	}
	return set
}
