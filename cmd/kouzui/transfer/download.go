// Package transfer is the commands that run a client: download and seed.
package transfer

import (
	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/flags"
)

// NewDownload makes the command download.
func NewDownload() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:     "download TORRENT|MAGNET...",
		Aliases: []string{"get"},
		Short:   "Download torrents, and exit when they are complete",
		Long: `Download torrents. A TORRENT is the path of a .torrent file, an http or https
URL, or - for stdin. Of a MAGNET link, peers are asked first what is in the
torrent, which is kept for the next run; quote it, as the shell takes & for its
own. Several torrents are downloaded at once. When all are complete, their paths
are written to stdout and the program ends, unless it goes on seeding.

To continue an interrupted download, run the same command again. The first
interrupt stops the program within 3 seconds, a second one stops it at once.

The command of --on-complete is run by the shell (on Windows by PowerShell),
with KOUZUI_TORRENT_NAME, KOUZUI_TORRENT_HASH, KOUZUI_TORRENT_DIR and
KOUZUI_TORRENT_PATH in its environment. If the command fails, there is a
warning.`,
		Example: `  kouzui download debian.torrent -d ~/Downloads
  kouzui get https://example.org/a.torrent b.torrent --max-download-limit 2M
  kouzui download 'magnet:?xt=urn:btih:...&tr=...' --stall-timeout 10m
  kouzui download a.torrent --seed --seed-ratio 1.5 --seed-time 24h
  kouzui download a.torrent --json | jq -r 'select(.type=="progress").have'`,
		Args: flags.Arguments(1, -1, "at least one torrent"),
		RunE: o.run,

		Annotations: map[string]string{events: "json"},
	}
	o.bind(c)
	return c
}
