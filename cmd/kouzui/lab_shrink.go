package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kouzui/actors/lab"
)

// played is the scenario that a command is given: one of a file, or the random one
// of its seed.
type played struct {
	seed   uint64
	random bool
}

func (p *played) bind(c *cobra.Command) {
	c.Flags().Uint64Var(&p.seed, "seed", 1, "what chance is made of")
	c.Flags().BoolVar(&p.random, "random", false, "play the random scenario of the seed, in which much goes wrong")
}

// scenario reads it; its name is how it is to be called again.
func (p *played) scenario(args []string) (s *lab.Scenario, name string, err error) {
	if p.random == (len(args) == 1) {
		return nil, "", failf(exitUsage, "give either a scenario or --random")
	}
	if p.random {
		return lab.Random(p.seed), "--random", nil
	}
	text, err := readScenario(args[0])
	if err != nil {
		return nil, "", err
	}
	if s, err = lab.Read(text); err != nil {
		return nil, "", failf(exitUsage, "%s: %w", args[0], err)
	}
	return s, args[0], nil
}

func newShrink() *cobra.Command {
	var o struct {
		played
		out   string
		tries int
	}
	c := &cobra.Command{
		Use:   "shrink [SCENARIO.toml]",
		Short: "Reduce a scenario that goes wrong to what matters",
		Long: `Leave out of a scenario what is not needed for it to go wrong in the same way: faults,
events, classes, nodes, delays, content. What is left is written as a scenario, which
the same seed plays again.`,
		Example: `  kouzui lab shrink --random --seed 138 --out small.toml
  kouzui lab simulate small.toml --seed 138`,
		Args: arguments(0, 1, "one scenario at most"),
		RunE: func(c *cobra.Command, args []string) error {
			collectAt(labGCPercent)
			s, name, err := o.scenario(args)
			if err != nil {
				return err
			}
			small, wrong, err := lab.Shrinking{Seed: o.seed, Tries: o.tries, Said: func(step string) {
				fmt.Fprintln(c.ErrOrStderr(), step)
			}}.Shrink(s)
			if err != nil {
				return failf(exitUsage, "%s, seed %d: %w", name, o.seed, err)
			}
			small.About = oneLine(wrong)
			fmt.Fprintln(c.ErrOrStderr(), oneLine(wrong))
			if o.out == "" {
				fmt.Fprint(c.OutOrStdout(), small.TOML())
				return nil
			}
			if err := os.WriteFile(o.out, []byte(small.TOML()), 0o644); err != nil {
				return fail(exitCreate, err)
			}
			fmt.Fprintf(c.ErrOrStderr(), "replay: kouzui lab simulate %s --seed %d\n", o.out, o.seed)
			return nil
		},
	}
	o.bind(c)
	c.Flags().StringVar(&o.out, "out", "", "write the scenario to `FILE` instead of stdout")
	c.Flags().IntVar(&o.tries, "tries", lab.DefaultTries, "play it `N` times at most")
	return c
}

// twice plays a scenario again, and tells where the runs part if they do.
func twice(s *lab.Scenario, o lab.Options) error {
	switch parted, err := lab.Parted(s, o); {
	case err != nil:
		return fail(exitUsage, err)
	case parted != "":
		return failf(exitOther, "this run cannot be repeated: %s", parted)
	}
	return nil
}
