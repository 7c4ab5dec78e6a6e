package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab/paper"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/labview"
	"kouzui/cmd/kouzui/internal/output"
)

// repetition is what the flags of reproduce say.
type repetition struct {
	seeds, workers int
	json, quiet    bool
	update         string
}

// everyPaper is the argument that stands for all papers.
const everyPaper = "all"

func newReproduce() *cobra.Command {
	var o repetition
	var list strings.Builder
	for _, p := range paper.Papers() {
		fmt.Fprintf(&list, "\n  %-14s %s", p.Name, p.Short)
	}
	c := &cobra.Command{
		Use:   "reproduce PAPER|all",
		Short: "Repeat published results on swarms",
		Long: `Play the scenario of a paper with several seeds, and say which of its results
hold: a claim holds if the interval of 95 % of what was measured is within
bounds that were set before. That a result does not hold is no error.

Papers:` + list.String(),
		Example:           "  kouzui lab reproduce hajek2011\n  kouzui lab reproduce all --json",
		Args:              flags.Arguments(1, 1, "one paper, or all"),
		ValidArgsFunction: completePapers,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	flags.Group(c, "The runs", func(f *pflag.FlagSet) {
		f.IntVar(&o.seeds, "seeds", 0, "play `N` seeds of each variant instead of as many as the paper's file says")
		f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "play `N` runs at a time")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: a line for each claim")
		f.StringVar(&o.update, "update", "", "write the table of each paper into its section \"paper NAME\" of the Markdown `FILE`, too")
		f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say how many runs were played")
	})
	return c
}

func completePapers(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	names := []string{everyPaper}
	for _, p := range paper.Papers() {
		names = append(names, p.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (o *repetition) run(c *cobra.Command, name string) error {
	command.CollectAt(gcPercent)
	papers := paper.Papers()
	if name != everyPaper {
		p, err := paper.Find(name)
		if err != nil {
			return exit.With(exit.Usage, err)
		}
		papers = []*paper.Paper{p}
	}
	switch {
	case o.seeds < 0 || o.seeds > mostSeeds:
		return exit.Errorf(exit.Usage, "--seeds must be from 1 to %d", mostSeeds)
	case o.workers < 1:
		return exit.Errorf(exit.Usage, "--workers must be 1 or more")
	}
	ctx, done := interrupt.Context()
	defer done()
	if err := hasSections(o.update, papers); err != nil {
		return exit.With(exit.Usage, err)
	}
	for _, p := range papers {
		answers, seeds, err := o.repeat(ctx, p, c.ErrOrStderr())
		if errors.Is(err, context.Canceled) {
			return exit.ErrInterrupted
		}
		if err != nil {
			return err
		}
		one := labview.Repeated{Paper: p, Seeds: seeds, Answers: answers}
		if o.json {
			err = labview.WriteClaims(c.OutOrStdout(), one)
		} else {
			err = labview.ClaimsTable{Repeated: one, Colour: output.ColouredResults(c, "auto")}.Write(output.Fit(c.OutOrStdout(), 2))
		}
		if err != nil {
			return err
		}
		if o.update == "" {
			continue
		}
		// At once: an interrupt costs the papers that are yet to come.
		if err := page.Update(o.update, section(p), labview.ClaimsMarkdown(one)+"\n"+page.Now()); err != nil {
			return err
		}
	}
	return nil
}

// section is the name of a paper's section in a page.
func section(p *paper.Paper) string { return "paper " + p.Name }

// hasSections tells what is wrong with the page at path, if anything is, before
// minutes are spent on what it is to hold. An empty path is no page.
func hasSections(path string, papers []*paper.Paper) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, p := range papers {
		if _, err := page.Replace(string(text), section(p), ""); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// repeat plays the runs of a paper.
func (o *repetition) repeat(ctx context.Context, p *paper.Paper, told io.Writer) ([]paper.Answer, int, error) {
	seeds := p.Seeds
	if o.seeds > 0 {
		seeds = o.seeds
	}
	runs, err := p.Play(ctx, seeds, o.workers, progress(told, o.quiet, fmt.Sprintf("%d runs of %s", seeds*len(p.Variants), p.Name)))
	if err != nil {
		return nil, 0, err
	}
	return p.Judge(runs), seeds, nil
}
