package main

import "github.com/spf13/cobra"

func newDownload() *cobra.Command {
	var t transferFlags
	var seed bool
	c := &cobra.Command{
		Use:     "download TORRENT...",
		Aliases: []string{"get"},
		Short:   "Download torrents, and exit when they are complete",
		Long: `Download torrents: paths of .torrent files, http or https URLs, or - for stdin.
Several are downloaded at once. When all are complete the program ends, unless
it is to seed; their paths are written to stdout.

An interrupted download goes on where it was when the same command is given
again. The first interrupt ends in good order within 3 seconds, a second one at
once.

` + onCompleteHelp,
		Example: `  kouzui download debian.torrent -d ~/Downloads
  kouzui get https://example.org/a.torrent b.torrent --max-download-limit 2M
  kouzui download a.torrent --seed --seed-ratio 1.5 --seed-time 24h
  kouzui download a.torrent --json | jq -r 'select(.type=="progress").have'`,
		Args: arguments(1, -1, "at least one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return t.run(c, args, seed, false) },
	}
	c.Flags().BoolVar(&seed, "seed", false, "go on seeding once complete, also without a ratio or a time")
	t.bind(c)
	return c
}
