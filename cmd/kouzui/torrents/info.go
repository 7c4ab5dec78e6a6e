package torrents

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
)

// NewInfo makes the command info.
func NewInfo() *cobra.Command {
	var (
		asJSON bool
		from   flags.Source
	)
	c := &cobra.Command{
		Use:   "info TORRENT",
		Short: "Show what is in a torrent",
		Long: `Show what is in a torrent: the path of a .torrent, an http or https URL, or -
for stdin. Files have the names that a download would give them; names that had
to be changed for that are listed as warnings. Trackers are shown in full, even
if their URLs hold a user's key; all other commands hide such keys.`,
		Example: `  kouzui info debian.torrent
  kouzui info debian.torrent --json | jq -r .info_hash`,
		Args: flags.Arguments(1, 1, "one torrent"),
		RunE: func(c *cobra.Command, args []string) error {
			source, _, err := from.Open(c.Context(), func(text string) { fmt.Fprintln(c.ErrOrStderr(), "kouzui: warning:", text) })
			if err != nil {
				return err
			}
			t, err := load.One(c.Context(), source, args[0], c.InOrStdin())
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
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&asJSON, "json", false, "write one JSON object")
	})
	flags.Group(c, "Network", from.BindFetch)
	return c
}
