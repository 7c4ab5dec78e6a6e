//go:build linux

package counterpart

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
)

// python is Debian's, which has Debian's libtorrent. Another one may be first
// in PATH.
const python = "/usr/bin/python3"

//go:embed seed_or_fetch.py
var libtorrentScript []byte

// libtorrent 2.0 disconnects from a peer as soon as both are complete.
var libtorrent = Client{
	Name: "libtorrent", Pads: true,
	Encryption: []Encryption{EncryptNothing, EncryptIfWanted, EncryptHandshake, EncryptAll},
	Dials:      true,
	program:    python,
	version:    []string{python, "-c", "import libtorrent; print(libtorrent.__version__)"},
	start:      startLibtorrent,
}

// LibtorrentMetadata is a command that fetches what a magnet link names with
// libtorrent, finding peers by a node of the DHT, and ends when it has that.
// The script is written into the folder.
func LibtorrentMetadata(dir, magnet, host, port, node string) ([]string, error) {
	script, err := writeLibtorrentScript(dir)
	return []string{python, script, "--torrent", magnet, "--dir", dir, "--host", host, "--port", port, "--dht", node, "--metadata"}, err
}

func writeLibtorrentScript(dir string) (path string, err error) {
	path = filepath.Join(dir, "seed_or_fetch.py")
	return path, os.WriteFile(path, libtorrentScript, 0o600)
}

func startLibtorrent(ctx context.Context, t Task) (*Process, error) {
	script, err := writeLibtorrentScript(t.Home)
	if err != nil {
		return nil, err
	}
	args := []string{script, "--torrent", t.torrent(), "--dir", t.Dir, "--host", t.Place.Host, "--port", strconv.Itoa(t.Place.Port)}
	if t.Seed {
		args = append(args, "--seed")
	}
	if t.SuperSeed {
		args = append(args, "--super-seed")
	}
	if t.Watch != nil {
		args = append(args, "--watch")
	}
	if t.Up > 0 {
		args = append(args, "--up", strconv.FormatInt(t.Up, 10))
	}
	if t.Down > 0 {
		args = append(args, "--down", strconv.FormatInt(t.Down, 10))
	}
	if t.Exchange {
		args = append(args, "--exchange")
	}
	if t.Frames != nil {
		args = append(args, "--frames")
	}
	if t.Encryption != EncryptNothing {
		args = append(args, "--encryption", string(t.Encryption))
	}
	if len(t.DHT) > 0 {
		args = append(args, "--dht", t.DHT[0])
	}
	for _, peer := range t.Peers {
		args = append(args, "--peer", peer)
	}
	program, args := t.command(python, args...)
	ready, complete := make(chan struct{}), make(chan struct{})
	p, err := launch(ctx, t.Home, func(line string) {
		switch line {
		case "ready":
			close(ready)
		case "complete":
			close(complete)
		default:
			var frames struct{ Out, In map[string]int }
			if t.Frames != nil && json.Unmarshal([]byte(line), &frames) == nil && frames.Out != nil {
				t.Frames(frames.Out, frames.In)
				return
			}
			var p Progress
			if t.Watch != nil && json.Unmarshal([]byte(line), &p) == nil {
				t.Watch(p)
			}
		}
	}, program, args...)
	if err != nil {
		return nil, err
	}
	p.complete = func(ctx context.Context) error { return p.wait(ctx, complete) }
	return p.started("libtorrent", p.wait(ctx, ready))
}
