package lab

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kouzui/actors/lab"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/outfile"
)

func newShrink() *cobra.Command {
	var o struct {
		played
		out   string
		tries int
	}
	c := &cobra.Command{
		Use:   "shrink [SCENARIO.toml]",
		Short: "Reduce a scenario that fails to what makes it fail",
		Long: `Remove from a scenario whatever is not needed for the same failure: faults,
events, classes, nodes, delays, content. The rest is written as a scenario,
which fails with the same seed.`,
		Example: `  kouzui lab shrink --random --seed 138 --out small.toml
  kouzui lab simulate small.toml --seed 138`,
		Args: flags.Arguments(0, 1, "at most one scenario"),
		RunE: func(c *cobra.Command, args []string) error {
			command.CollectAt(gcPercent)
			s, name, err := o.scenario(args)
			if err != nil {
				return err
			}
			if o.out != "" {
				if err := outfile.Spares(o.out, name); err != nil {
					return err
				}
			}
			small, wrong, err := lab.Shrinking{Seed: o.seed, Tries: o.tries, Said: func(step string) {
				fmt.Fprintln(c.ErrOrStderr(), step)
			}}.Shrink(s)
			if err != nil {
				return exit.Errorf(exit.Usage, "%s, seed %d: %w", name, o.seed, err)
			}
			small.About = exit.OneLine(wrong)
			fmt.Fprintln(c.ErrOrStderr(), exit.OneLine(wrong))
			if o.out == "" {
				fmt.Fprint(c.OutOrStdout(), small.TOML())
				return nil
			}
			file, err := outfile.Create(o.out, true)
			if err != nil {
				return err
			}
			defer file.Discard()
			if _, err := io.WriteString(file, small.TOML()); err != nil {
				return err
			}
			if err := file.Commit(); err != nil {
				return err
			}
			fmt.Fprintf(c.ErrOrStderr(), "to play the run again: kouzui lab simulate %s --seed %d\n", o.out, o.seed)
			return nil
		},
	}
	o.bind(c.Flags())
	c.Flags().StringVar(&o.out, "out", "", "write the scenario to `FILE` instead of stdout")
	c.Flags().IntVar(&o.tries, "tries", lab.DefaultTries, "play at most `N` runs")
	return c
}
