package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/actors/lab/experiment"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/labview"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/output"
)

// trial is what the flags of experiment say.
type trial struct {
	seeds, workers int
	json           bool
	csv, html      string
	quiet          bool
}

func newExperiment() *cobra.Command {
	var o trial
	c := &cobra.Command{
		Use:   "experiment EXPERIMENT.toml",
		Short: "Compare variants of a swarm over many seeds",
		Long: `Play each variant of a scenario with the same seeds, and say how they differ:
with intervals of 95 %, the size of the effect, corrected for the number of
comparisons; or that no difference was seen, and how great one would have been.
The same file gives the same table. testdata/lab/README.md describes how an
experiment is written.

If a check that must hold of every swarm fails in any run, the exit code is ` + strconv.Itoa(exit.Other) + `.
The first interrupt shows what the seeds that were played tell.`,
		Example: `  kouzui lab experiment testdata/lab/experiments/pickers.toml --html page.html
  kouzui lab experiment testdata/lab/experiments/free-riders.toml --seeds 40`,
		Args: flags.Arguments(1, 1, "one experiment"),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	flags.Group(c, "The runs", func(f *pflag.FlagSet) {
		f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "play `N` runs at a time")
	})
	o.bind(c)
	return c
}

// bind adds the flags of all commands that play an experiment.
func (o *trial) bind(c *cobra.Command) {
	flags.Group(c, "The runs", func(f *pflag.FlagSet) {
		f.IntVar(&o.seeds, "seeds", 0, "play at most `N` seeds instead of as many as the experiment says")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: runs, groups, comparisons, the experiment")
		f.StringVar(&o.csv, "csv", "", "write a table of all runs to `FILE`")
		f.StringVar(&o.html, "html", "", "write a self-contained page with pictures to `FILE`")
		f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say how many runs were played")
	})
}

// sayEvery is how often it is said how many runs were played.
const sayEvery = 10 * time.Second

func (o *trial) run(c *cobra.Command, path string) error {
	command.CollectAt(gcPercent)
	if o.workers < 1 {
		return exit.Errorf(exit.Usage, "--workers must be 1 or more")
	}
	e, err := o.read(path)
	if err != nil {
		return err
	}
	ctx, done := interrupt.Context()
	defer done()
	return o.conduct(ctx, c, e, []string{path}, experiment.Local{Experiment: e, Workers: o.workers})
}

// read reads the experiment, and looks early at what would be refused later.
func (o *trial) read(path string) (*experiment.Experiment, error) {
	e, err := readExperiment(path)
	if err != nil {
		return nil, err
	}
	return o.checked(e)
}

// checked is the experiment as the flags change it, which are checked.
func (o *trial) checked(e *experiment.Experiment) (*experiment.Experiment, error) {
	for file, kind := range map[string]outfile.Kind{o.csv: outfile.Table, o.html: outfile.Page} {
		if file == "" {
			continue
		}
		if err := outfile.Try(file, kind); err != nil {
			return nil, err
		}
	}
	return e, o.change(e)
}

// conduct plays the experiment, which the command has got from its arguments,
// and writes what was found.
func (o *trial) conduct(ctx context.Context, c *cobra.Command, e *experiment.Experiment, args []string, runner experiment.Runner) error {
	f, interrupted := e.Conduct(ctx, runner, o.progress(c.ErrOrStderr(), len(e.Variants)*e.Rule.Most))
	if interrupted != nil && !errors.Is(interrupted, context.Canceled) {
		return interrupted
	}
	if f == nil {
		return exit.ErrInterrupted
	}
	if err := o.write(c, f, args); err != nil {
		return err
	}
	if interrupted != nil {
		return exit.ErrInterrupted
	}
	failed := f.Failed()
	for i, r := range failed {
		if i == mostTold {
			fmt.Fprintf(c.ErrOrStderr(), "and %s more\n", units.Count(len(failed)-i, "run"))
			break
		}
		fmt.Fprintf(c.ErrOrStderr(), "%s, seed %d: %s\n", e.Variants[r.Job.Variant].Name, r.Job.Seed, r.Failure)
	}
	if len(failed) > 0 {
		again := e.Again(failed[0].Job.Variant, failed[0].Job.Seed)
		return exit.Errorf(exit.Other, "%s of %d did not pass all checks, and do not count; to play the first again: kouzui lab simulate %s",
			units.Count(len(failed), "run"), len(f.Seeds)*len(e.Variants), again)
	}
	return nil
}

// mostTold is how many failed runs are told one by one.
const mostTold = 10

// readExperiment reads an experiment and its scenario.
func readExperiment(path string) (*experiment.Experiment, error) {
	text, err := readScenario(path)
	if err != nil {
		return nil, err
	}
	var missing error
	e, err := experiment.Read(text, path, func(path string) (string, error) {
		text, err := readScenario(path)
		missing = err
		return text, err
	})
	if missing != nil {
		return nil, missing
	}
	if err != nil {
		return nil, exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	return e, nil
}

// change lets the flags say what they say in place of the file.
func (o *trial) change(e *experiment.Experiment) error {
	switch {
	case o.seeds < 0 || o.seeds > experiment.MostSeeds:
		return exit.Errorf(exit.Usage, "--seeds must be from 1 to %d", experiment.MostSeeds)
	case o.seeds > 0:
		e.Rule.Most, e.Rule.Least = o.seeds, min(e.Rule.Least, o.seeds)
	}
	return nil
}

// progress says from time to time how many runs were played.
func (o *trial) progress(w io.Writer, most int) func(experiment.Outcome) {
	played := progress(w, o.quiet, fmt.Sprintf("at most %d runs", most))
	return func(experiment.Outcome) { played() }
}

// progress counts runs, and says from time to time how many of all there are
// unless it is to be quiet.
func progress(w io.Writer, quiet bool, all string) (played func()) {
	began, last, count := time.Now(), time.Now(), 0
	return func() {
		count++
		if now := time.Now(); !quiet && now.Sub(last) >= sayEvery {
			last = now
			fmt.Fprintf(w, "%d of %s after %.0f s\n", count, all, now.Sub(began).Seconds())
		}
	}
}

// write writes what was found in all the forms that were asked for.
func (o *trial) write(c *cobra.Command, f *experiment.Findings, args []string) error {
	if o.csv != "" {
		if err := replace(o.csv, outfile.Table, func(w io.Writer) error { return labview.WriteRuns(w, f) }); err != nil {
			return err
		}
	}
	if o.html != "" {
		again := c.CommandPath()
		for _, arg := range args {
			again += " " + experiment.Quoted(arg)
		}
		if o.seeds > 0 {
			again += fmt.Sprintf(" --seeds %d", o.seeds)
		}
		page, err := o.page(f, again)
		if err != nil {
			return err
		}
		if err := replace(o.html, outfile.Page, page.Write); err != nil {
			return err
		}
	}
	if o.json {
		return labview.WriteFindings(c.OutOrStdout(), f)
	}
	colour := output.ColouredResults(c, "auto")
	return labview.FindingsTable{Findings: f, Colour: colour}.Write(output.Fit(c.OutOrStdout(), 2))
}

// page plays one run of each variant again, to show them over time.
func (o *trial) page(f *experiment.Findings, again string) (labview.FindingsPage, error) {
	page := labview.FindingsPage{Findings: f, Command: again, Seed: f.Typical()}
	page.Runs = make([]*lab.Result, min(len(f.Experiment.Variants), labview.MostRuns))
	var group errgroup.Group
	group.SetLimit(max(1, o.workers))
	for variant := range page.Runs {
		group.Go(func() (err error) {
			page.Runs[variant], err = f.Experiment.Replay(context.Background(), experiment.Job{Variant: variant, Seed: page.Seed})
			return err
		})
	}
	return page, group.Wait()
}

// replace writes a file that takes the place of an older one of its kind.
func replace(path string, kind outfile.Kind, write func(io.Writer) error) error {
	file, err := outfile.Replace(path, kind)
	if err != nil {
		return err
	}
	defer file.Discard()
	if err := write(file); err != nil {
		return err
	}
	return file.Commit()
}
