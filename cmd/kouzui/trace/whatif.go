package trace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"kouzui/actors/lab"
	"kouzui/actors/lab/stat"
	"kouzui/actors/lab/whatif"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/labview"
	"kouzui/cmd/kouzui/internal/output"
)

// mostOthers bounds how many other seeds are played.
const mostOthers = 1000

func newWhatIf() *cobra.Command {
	var (
		others int
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "what-if FILE SEQ",
		Short: "Say what a failure of a simulated run has cost",
		Long: `Play a simulated run once more without the failure that led to event SEQ, and
say how much sooner its downloaders would have been complete. Other seeds are
played with and without the same failure too: they show how much of that is the
failure's doing, with an interval of 95 %, and whether the answer is clean. FILE
is a trace that lab simulate of the same build has written, and holds the
scenario. Only what the scenario breaks can be left out.`,
		Example: `  kouzui trace tail run.trace --kind fault
  kouzui trace what-if run.trace 1234`,
		Args: flags.Arguments(2, 2, "one trace file and the number of an event"),
		RunE: func(c *cobra.Command, args []string) error {
			seq, err := eventNumber(args[1])
			if err != nil {
				return err
			}
			if others < 1 || others > mostOthers {
				return exit.Errorf(exit.Usage, "--seeds %d: must be from 1 to %d", others, mostOthers)
			}
			f, err := openTrace(c, args[0])
			if err != nil {
				return err
			}
			defer f.close()
			events := slices.Collect(f.Events())
			if err := f.end(); err != nil {
				return err
			}
			config := f.Header.Configuration
			seed, err := strconv.ParseUint(config["seed"], 10, 64)
			if err != nil || config["scenario"] == "" {
				return exit.Errorf(exit.Other, "%s holds no scenario: only runs of lab simulate can be played again", args[0])
			}
			s, err := lab.Read(config["scenario"])
			if err != nil {
				return exit.Errorf(exit.Other, "%s holds a scenario that cannot be played: %w", args[0], err)
			}
			spared, words, err := whatif.Find(events, seq)
			if err != nil {
				return exit.Errorf(exit.Usage, "event %d of %s: %w", seq, args[0], err)
			}
			ctx, done := interrupt.Context()
			defer done()
			a, err := whatif.Without(ctx, s, seed, spared, words, others)
			switch {
			case ctx.Err() != nil:
				return exit.ErrInterrupted
			case err != nil:
				return exit.Errorf(exit.Other, "%s: %w", args[0], err)
			case asJSON:
				return json.NewEncoder(c.OutOrStdout()).Encode(answerOf(a))
			}
			return say(c, a)
		},
	}
	c.Flags().IntVar(&others, "seeds", 20, "play `N` other seeds as well, with and without the failure")
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object")
	return c
}

func say(c *cobra.Command, a *whatif.Answer) error {
	out := output.Fit(c.OutOrStdout(), 4)
	fmt.Fprintf(out, "without %s\n", a.Failure)
	fmt.Fprintf(out, "  this run: downloaders take %+.3f s on average, the last is complete %+.3f s later\n", -a.Mean, -a.Last)
	if a.Met > 1 {
		fmt.Fprintf(out, "  %d of %d seeds have the failure: downloaders take %s s on average, the last is complete %s s later\n",
			a.Met, a.Seeds, minus(a.OverMean), minus(a.OverLast))
	}
	why := a.Unclean()
	if why == "" {
		why = "the answer is clean: it has cost time in most seeds, and the runs are the same but for it"
		if a.OverMean.Difference < 0 {
			why = "the answer is clean: it has saved time in most seeds, and the runs are the same but for it"
		}
	} else {
		why = "not clean: " + why
	}
	_, err := fmt.Fprintln(out, " ", why)
	return err
}

// minus is how much less it takes, as how much more.
func minus(p stat.Paired) string {
	return fmt.Sprintf("%+.3f ± %.3f", -p.Difference, p.Interval.Half())
}

// answer is the answer in JSON. Times are in seconds; null: not known.
type answer struct {
	V           int      `json:"v"`
	Failure     string   `json:"failure"`
	Mean        *float64 `json:"mean_sooner_seconds"` // without the failure, in the run itself
	Last        *float64 `json:"last_sooner_seconds"`
	Seeds       int      `json:"seeds"`
	Met         int      `json:"seeds_with_failure"`
	OverMean    *float64 `json:"mean_sooner_over_seeds_seconds"`
	Low         *float64 `json:"mean_sooner_low_seconds"`
	High        *float64 `json:"mean_sooner_high_seconds"`
	Correlation *float64 `json:"correlation"`
	Clean       bool     `json:"clean"`
	Why         string   `json:"why_not,omitempty"`
}

func answerOf(a *whatif.Answer) answer {
	why := a.Unclean()
	return answer{
		V: 1, Failure: a.Failure, Mean: labview.Number(a.Mean), Last: labview.Number(a.Last), Seeds: a.Seeds, Met: a.Met, OverMean: labview.Number(a.OverMean.Difference),
		Low: labview.Number(a.OverMean.Interval.Low), High: labview.Number(a.OverMean.Interval.High), Correlation: labview.Number(a.OverMean.Correlation), Clean: why == "", Why: why,
	}
}
