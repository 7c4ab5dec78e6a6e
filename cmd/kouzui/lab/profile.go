package lab

import (
	"fmt"

	"github.com/spf13/cobra"

	"kouzui/actors/lab/whatif"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/labview"
)

// mostSeeds bounds how many seeds a profile or a paper plays: all its results
// are kept.
const mostSeeds = 1000

func newProfile() *cobra.Command {
	var (
		p      played
		seeds  int
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "profile [SCENARIO.toml]",
		Short: "Say which actors, if they were faster, would end a swarm sooner",
		Long: `Play a scenario with several seeds, and again with the actors of one kind 10, 20
and 50 % faster, and say how much sooner the last downloader is complete: on
average, with an interval of 95 %. An interval that has 0 in it shows no
difference. Classes whose work matters need cores; the kind link is what the
system does for connections.`,
		Example: `  kouzui lab profile testdata/lab/pair.toml --seeds 10`,
		Args:    flags.Arguments(0, 1, "at most one scenario"),
		RunE: func(c *cobra.Command, args []string) error {
			command.CollectAt(gcPercent)
			s, name, err := p.scenario(args)
			if err != nil {
				return err
			}
			if seeds < 2 || seeds > mostSeeds {
				return exit.Errorf(exit.Usage, "--seeds %d: must be from 2 to %d", seeds, mostSeeds)
			}
			ctx, done := interrupt.Context()
			defer done()
			profile := labview.Profile{Seeds: seeds}
			err = whatif.Profile(ctx, s, whatif.Seeds(p.seed, seeds), func(k whatif.Kind) {
				profile.Kinds = append(profile.Kinds, k)
				fmt.Fprintf(c.ErrOrStderr(), "%s is known\n", k.Name)
			})
			switch {
			case ctx.Err() != nil:
				return exit.ErrInterrupted
			case err != nil:
				return exit.Errorf(exit.Usage, "%s: %w", name, err)
			}
			if asJSON {
				return profile.WriteLines(c.OutOrStdout())
			}
			return profile.Write(c.OutOrStdout())
		},
	}
	p.bind(c.Flags())
	c.Flags().IntVar(&seeds, "seeds", 10, "play `N` seeds, from --seed on")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON lines to stdout, one for each kind of actor and speed")
	return c
}
