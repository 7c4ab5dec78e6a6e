//go:build linux

package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"kouzui/cmd/internal/noise"
	"kouzui/cmd/interop/counterpart"
	"kouzui/wire/metainfo"
)

// TestWebSeed downloads from nginx alone (BEP 19): a single file, and a folder
// with an empty file, names that have to be escaped, and files that share a
// block.
func TestWebSeed(t *testing.T) {
	version := installed(t, counterpart.Nginx.Version)
	for name, files := range map[string][]metainfo.FileSpec{
		"single": {{Length: 12<<20 + 3}},
		"folder": {
			{Path: []string{"a b", "1#%?.bin"}, Length: 5<<20 + 7}, {Path: []string{"a b", "empty"}},
			{Path: []string{"ä", "ö+&=.bin"}, Length: 9}, {Path: []string{"z.bin"}, Length: 3 << 20},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), transferTimeout)
			defer cancel()
			content, err := noise.New(t.TempDir(), "web seed "+name, 100_000, files)
			if err != nil {
				t.Fatal(err)
			}
			runs.begin(t, counterpart.Nginx.Name, version, "downloads", name, kouzui.Name)
			at := counterpart.NewPlace()
			server, err := counterpart.Nginx.Start(ctx, t.TempDir(), content.Dir, at)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Stop)
			raw, err := metainfo.EncodeInfo(content.Info.Info(), nil, []string{"http://" + at.Peer() + "/"})
			if err != nil {
				t.Fatal(err)
			}
			torrent := filepath.Join(t.TempDir(), "web.torrent")
			if err := os.WriteFile(torrent, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			out, err := exec.CommandContext(ctx, program, "download", torrent, "--dir", dir, "--listen-port", "none", "--dht", "off", "--allow-private").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, server.LogTail())
			}
			if err := content.Verify(dir, false); err != nil {
				t.Error(err)
			}
		})
	}
}
