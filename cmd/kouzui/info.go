package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newInfo() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "info TORRENT",
		Short: "Show what is in a torrent",
		Long: `Show what is in a torrent: a path, an http or https URL, or - for stdin. Names are
shown as they would be created; what was odd about them stands under warnings.
Trackers are shown in full, with a user's key if there is one in them; all other
commands hide it.`,
		Example: `  kouzui info debian.torrent
  kouzui info debian.torrent --json | jq -r .info_hash`,
		Args: arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error {
			t, err := load(context.Background(), args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			d := describe(t)
			if asJSON {
				return d.writeJSON(c.OutOrStdout())
			}
			return d.write(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	return c
}
