package lab

import (
	"encoding/json"
	"fmt"
	"math"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kouzui/actors/lab/stat"
	"kouzui/actors/lab/whatif"
	"kouzui/actors/runtime/units"
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
			ctx, done := interrupt.Context()
			defer done()
			var kinds []whatif.Kind
			err = whatif.Profile(ctx, s, whatif.Seeds(p.seed, seeds), func(k whatif.Kind) {
				kinds = append(kinds, k)
				fmt.Fprintf(c.ErrOrStderr(), "%s is known\n", k.Name)
			})
			switch {
			case ctx.Err() != nil:
				return exit.ErrInterrupted
			case err != nil:
				return exit.Errorf(exit.Usage, "%s: %w", name, err)
			}
			if asJSON {
				return profileLines(c, kinds, seeds)
			}
			return profileTable(c, kinds)
		},
	}
	p.bind(c.Flags())
	c.Flags().IntVar(&seeds, "seeds", 10, "play `N` seeds, from --seed on")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON lines to stdout, one for each kind of actor and speed")
	return c
}

func profileTable(c *cobra.Command, kinds []whatif.Kind) error {
	out := c.OutOrStdout()
	if len(kinds) == 0 {
		_, err := fmt.Fprintln(out, "No kind of actor works enough to matter.")
		return err
	}
	fmt.Fprintf(out, "The last downloader is complete after %.2f s, on average of %s. With one\nkind of actor faster it would be so much sooner, in seconds:\n\n", kinds[0].Without, units.Count(kinds[0].Seeds, "seed"))
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

// interval is a difference with how far it reaches, in brackets if none is
// seen, or a dash if none is known.
func interval(p stat.Paired) string {
	if math.IsNaN(p.Difference) {
		return "-"
	}
	if !p.Interval.Excludes(0) && p.Difference != 0 {
		return fmt.Sprintf("(%+.2f ± %.2f)", p.Difference, p.Interval.Half())
	}
	return fmt.Sprintf("%+.2f ± %.2f", p.Difference, p.Interval.Half())
}

// profileLine is how much sooner the last downloader is complete if a kind is
// faster by a part. A number that there is not is null.
type profileLine struct {
	Schema   string   `json:"schema"`
	Type     string   `json:"type"`
	Kind     string   `json:"kind"`
	Share    float64  `json:"share_of_work"`
	Faster   float64  `json:"faster"`
	Seeds    int      `json:"seeds"`
	Pairs    int      `json:"pairs"`
	Complete float64  `json:"complete_seconds"`
	Sooner   *float64 `json:"sooner_seconds"`
	Low      *float64 `json:"sooner_low_seconds"`
	High     *float64 `json:"sooner_high_seconds"`
}

func profileLines(c *cobra.Command, kinds []whatif.Kind, seeds int) error {
	known := func(v float64) *float64 {
		if math.IsNaN(v) {
			return nil
		}
		return &v
	}
	lines := json.NewEncoder(c.OutOrStdout())
	for _, k := range kinds {
		for i, p := range k.Sooner {
			if err := lines.Encode(profileLine{
				Schema: labview.Schema, Type: "profile", Kind: k.Name, Share: k.Share, Faster: whatif.Faster[i], Seeds: seeds, Pairs: p.N,
				Complete: k.Without, Sooner: known(p.Difference), Low: known(p.Interval.Low), High: known(p.Interval.High),
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
