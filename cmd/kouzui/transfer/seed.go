package transfer

import (
	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/flags"
)

// NewSeed makes the command seed.
func NewSeed() *cobra.Command {
	o := options{seedOnly: true}
	c := &cobra.Command{
		Use:   "seed TORRENT|MAGNET...",
		Short: "Seed complete data, until interrupted",
		Long: `Seed torrents whose complete data is in --dir, until an interrupt, or until
--seed-ratio, --seed-time or --until-peers-done is reached. A TORRENT is the
path of a .torrent file, an http or https URL, or - for stdin; of a MAGNET link,
peers are asked first what is in the torrent. If data is missing or wrong, that
is an error: nothing is downloaded or created.`,
		Example: `  kouzui seed album.torrent --dir ~/Music
  kouzui seed album.torrent --until-peers-done`,
		Args: flags.Arguments(1, -1, "at least one torrent"),
		RunE: o.run,

		Annotations: map[string]string{events: "json"},
	}
	o.bind(c)
	return c
}
