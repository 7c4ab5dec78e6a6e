package lab

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kouzui/actors/lab/stat"
	"kouzui/actors/lab/whatif"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
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
		Example: `  kouzui lab profile testdata/lab/slow-processor.toml --seeds 10`,
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
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			var kinds []whatif.Kind
			err = whatif.Profile(ctx, s, whatif.Seeds(p.seed, seeds), func(k whatif.Kind) {
				kinds = append(kinds, k)
				fmt.Fprintf(c.ErrOrStderr(), "%s is known\n", k.Name)
			})
			switch {
			case ctx.Err() != nil:
				return exit.Errorf(exit.Interrupted, "interrupted")
			case err != nil:
				return exit.Errorf(exit.Usage, "%s: %w", name, err)
			}
			if asJSON {
				return profileLines(c, kinds, seeds)
			}
			return profileTable(c, kinds, seeds)
		},
	}
	p.bind(c.Flags())
	c.Flags().IntVar(&seeds, "seeds", 10, "play `N` seeds, from --seed on")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON lines to stdout, one for each kind of actor and speed")
	return c
}

func profileTable(c *cobra.Command, kinds []whatif.Kind, seeds int) error {
	if len(kinds) == 0 {
		return nil
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "The last downloader is complete after %.2f s, on average of %d seeds. With one\nkind of actor faster it would be so much sooner, in seconds:\n\n", kinds[0].Without, seeds)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "kind\tof all work\t")
	for _, by := range whatif.Faster {
		fmt.Fprintf(t, "%.0f %% faster\t", 100*by)
	}
	fmt.Fprintln(t)
	for _, k := range kinds {
		fmt.Fprintf(t, "%s\t%.1f %%\t", k.Name, 100*k.Share)
		for _, p := range k.Sooner {
			fmt.Fprintf(t, "%s\t", interval(p))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// interval is a difference with how far it reaches, or a dash if none is seen.
func interval(p stat.Paired) string {
	if !p.Interval.Excludes(0) && p.Difference != 0 {
		return fmt.Sprintf("(%+.2f ± %.2f)", p.Difference, p.Interval.Half())
	}
	return fmt.Sprintf("%+.2f ± %.2f", p.Difference, p.Interval.Half())
}

func profileLines(c *cobra.Command, kinds []whatif.Kind, seeds int) error {
	lines := json.NewEncoder(c.OutOrStdout())
	for _, k := range kinds {
		for i, p := range k.Sooner {
			if err := lines.Encode(map[string]any{
				"schema": "kouzui-lab-1", "type": "profile", "kind": k.Name, "share_of_work": k.Share, "faster": whatif.Faster[i], "seeds": seeds,
				"complete_seconds": k.Without, "sooner_seconds": p.Difference, "sooner_low_seconds": p.Interval.Low, "sooner_high_seconds": p.Interval.High,
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
