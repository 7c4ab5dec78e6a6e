package main

import "github.com/spf13/cobra"

func newSeed() *cobra.Command {
	var t transferFlags
	c := &cobra.Command{
		Use:   "seed TORRENT...",
		Short: "Seed what is there, until interrupted",
		Long: `Seed torrents whose data is complete in --dir, until an interrupt or until
--seed-ratio, --seed-time or --until-peers-done says that it is enough. What is
not there is an error: nothing is downloaded or created.`,
		Example: `  kouzui seed album.torrent --dir ~/Music
  kouzui seed album.torrent --until-peers-done`,
		Args: arguments(1, -1, "at least one torrent"),
		RunE: func(c *cobra.Command, args []string) error { return t.run(c, args, true, true) },
	}
	t.bind(c)
	return c
}
