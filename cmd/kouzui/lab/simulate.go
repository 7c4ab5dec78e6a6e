package lab

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab"
	"kouzui/actors/lab/experiment"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/labview"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/output"
	"kouzui/cmd/kouzui/internal/version"
)

// simulation is what the flags of simulate say.
type simulation struct {
	variant
	trace string
	nodes bool
	twice bool
	json  bool
	html  string
}

func newSimulate() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use:   "simulate [SCENARIO.toml]",
		Short: "Play a swarm of whole clients in a simulated world",
		Long: `Play a scenario: whole clients, with all their actors, in a world in which
time, network, disks, trackers and chance are simulated. The seed decides
everything: the same seed gives the same run, to the last message.
testdata/lab/README.md describes how a scenario is written.

While the swarm runs, properties that must hold of every swarm are checked. If
one of them does not hold, the exit code is ` + strconv.Itoa(exit.Other) + `.`,
		Example: `  kouzui lab simulate testdata/lab/flash-crowd.toml --html page.html
  kouzui lab simulate testdata/lab/partition.toml --seed 7 --trace run.trace
  kouzui lab simulate testdata/lab/rarest-first.toml --picker random
  kouzui lab simulate --random --seed 138`,
		Args: flags.Arguments(0, 1, "at most one scenario"),
		RunE: o.run,
	}
	flags.Group(c, "The run", func(f *pflag.FlagSet) {
		o.bind(c, f)
		f.BoolVar(&o.twice, "twice", false, "play the scenario twice, and show where the two runs differ if they do")
		f.BoolVar(&o.quick, "quick", false, "skip the checks that look at every message")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.nodes, "nodes", false, "show each node in the table as well")
		f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: nodes, classes, the swarm")
		f.StringVar(&o.html, "html", "", "write a self-contained page with plots to `FILE`")
		f.StringVar(&o.trace, "trace", "", "write the supervision trace of all nodes to `FILE`")
		f.BoolVar(&o.notes, "notes", false, "trace what actors do as well: chokes, pieces, bans and announces")
	})
	return c
}

func (o *simulation) run(c *cobra.Command, args []string) error {
	command.CollectAt(gcPercent)
	scenario, path, err := o.scenario(c, args)
	if err != nil {
		return err
	}
	options := lab.Options{Seed: o.seed, Notes: o.notes, Quick: o.quick, Hash: o.json, Path: o.html != "" || o.json}
	if o.html != "" {
		if err := outfile.Try(o.html, outfile.Page); err != nil {
			return err
		}
	}
	if o.twice {
		if err := twice(scenario, options); err != nil {
			return err
		}
	}
	if o.trace != "" {
		file, err := outfile.Open(o.trace, outfile.Trace)
		if err != nil {
			return err
		}
		defer file.Close()
		t := trace.NewDirect(file, trace.Header{
			Run: fmt.Sprintf("%s, seed %d", scenario.Name, o.seed), Build: version.Build(),
			Configuration: map[string]string{"command": c.Name(), "seed": strconv.FormatUint(o.seed, 10), "scenario": scenario.TOML()}, Clock: "virtual", StartedAt: lab.Epoch,
		})
		options.Trace = []event.Sink{t}
		defer func() {
			if err := t.Close(); err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "kouzui: warning: the supervision trace is incomplete: %s\n", exit.OneLine(err))
			}
		}()
	}
	result, err := lab.Run(scenario, options)
	if err != nil {
		return exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	if o.html != "" {
		write := func(w io.Writer) error { return labview.WritePage(w, result, o.again(c, path)) }
		if err := replace(o.html, outfile.Page, write); err != nil {
			return err
		}
	}
	if o.json {
		err = labview.WriteLines(c.OutOrStdout(), result)
	} else {
		colour := output.ColouredResults(c, "auto")
		err = labview.Table{Result: result, Nodes: o.nodes, Colour: colour}.Write(output.Fit(c.OutOrStdout(), labview.FactColumn))
	}
	if err != nil {
		return err
	}
	for _, err := range result.Wrong {
		fmt.Fprintln(c.ErrOrStderr(), err)
	}
	if n := len(result.Wrong); n > 0 {
		return exit.Errorf(exit.Other, "%s; to play the run again: %s", units.Count(n, "failed check"), o.again(c, path))
	}
	return nil
}

// again is the command that plays the run again.
func (o *simulation) again(c *cobra.Command, path string) string {
	command := fmt.Sprintf("%s %s --seed %d", c.CommandPath(), experiment.Quoted(path), o.seed)
	for _, f := range []struct{ name, value string }{{"picker", *o.picker}, {"choker", *o.choker}, {"payload", *o.payload}} {
		if f.value != asWritten {
			command += " --" + f.name + " " + experiment.Quoted(f.value)
		}
	}
	if o.quick {
		command += " --quick"
	}
	for _, text := range o.patterns.GetSlice() {
		command += " --pattern " + experiment.Quoted(text)
	}
	for _, text := range o.set {
		command += " --set " + experiment.Quoted(text)
	}
	return command
}

// twice plays a scenario again, and tells where the two runs differ.
func twice(s *lab.Scenario, o lab.Options) error {
	switch difference, err := lab.Parted(s, o); {
	case err != nil:
		return exit.With(exit.Usage, err)
	case difference != "":
		return exit.Errorf(exit.Other, "a second run of the same seed differs: %s", difference)
	}
	return nil
}
