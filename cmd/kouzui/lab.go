package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/lab"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/cmd/kouzui/internal/labview"
)

func newLab() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Experiment with swarms of simulated clients",
		Args:  noSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSimulate(), newShrink())
	return c
}

// labGCPercent is for a program whose heap is actors, not payload: time matters
// more than memory.
const labGCPercent = 200

// simulation is what the flags of simulate say.
type simulation struct {
	played
	trace string
	notes bool
	nodes bool
	twice bool
	quick bool

	picker, choker, payload *string
	json                    bool
	html                    string
}

func newSimulate() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use:   "simulate [SCENARIO.toml]",
		Short: "Play a swarm of real clients in a simulated world",
		Long: `Play a scenario: clients as they are, with all their actors, in a world in which time,
network, disks, trackers and chance are simulated. The seed decides everything: the
same one gives the same run again, to the last message. How a scenario is written
stands in testdata/lab/README.md.

What must hold of every swarm is checked on the way. If it does not, the exit code is
` + strconv.Itoa(exitOther) + `.`,
		Example: `  kouzui lab simulate testdata/lab/flash-crowd.toml
  kouzui lab simulate testdata/lab/partition.toml --seed 7 --trace run.trace
  kouzui lab simulate testdata/lab/rarest-first.toml --picker random --html page.html
  kouzui lab simulate --random --seed 138`,
		Args: arguments(0, 1, "one scenario at most"),
		RunE: o.run,
	}
	f := c.Flags()
	o.bind(c)
	f.BoolVar(&o.twice, "twice", false, "play it twice, and say where the runs part if they do")
	f.StringVar(&o.trace, "trace", "", "write the supervision trace of all nodes to `FILE`")
	f.BoolVar(&o.notes, "notes", false, "put what actors do into the trace too")
	f.BoolVar(&o.nodes, "nodes", false, "show each node in the table, too")
	f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: nodes, classes, the swarm")
	o.picker = choose(c, "picker", "of all nodes, or as the scenario says", append([]string{asWritten}, actors.Pickers()...)...)
	o.choker = choose(c, "choker", "of all nodes, or as the scenario says", append([]string{asWritten}, actors.Chokers()...)...)
	o.payload = choose(c, "payload", "what blocks are made of, or as the scenario says", asWritten, lab.PayloadDescribed, lab.PayloadReal)
	f.BoolVar(&o.quick, "quick", false, "leave out the checks that look at every message")
	f.StringVar(&o.html, "html", "", "write a page with plots to `FILE`, which needs nothing else")
	return c
}

// asWritten leaves the choice to the scenario.
const asWritten = "scenario"

// longestScenario is how much of a file is read as a scenario, in bytes.
const longestScenario = 1 << 20

func (o *simulation) run(c *cobra.Command, args []string) error {
	collectAt(labGCPercent)
	scenario, path, err := o.scenario(args)
	if err != nil {
		return err
	}
	for i := range scenario.Class {
		one := &scenario.Class[i]
		if *o.picker != asWritten && len(one.Hostile) == 0 {
			one.Picker = *o.picker
		}
		if *o.choker != asWritten && len(one.Hostile) == 0 {
			one.Choker = *o.choker
		}
	}
	if *o.payload != asWritten {
		scenario.Payload = *o.payload
	}
	options := lab.Options{Seed: o.seed, Notes: o.notes, Quick: o.quick}
	if o.twice {
		if err := twice(scenario, options); err != nil {
			return err
		}
	}
	if o.trace != "" {
		file, err := os.Create(o.trace)
		if err != nil {
			return fail(exitCreate, err)
		}
		defer file.Close()
		t := trace.NewDirect(file, trace.Header{
			Run: fmt.Sprintf("%s, seed %d", scenario.Name, o.seed), Build: actors.Version + revision(),
			Configuration: map[string]string{"command": c.Name(), "seed": strconv.FormatUint(o.seed, 10)}, Clock: "virtual", StartedAt: lab.Epoch,
		})
		options.Trace = []event.Sink{t}
		defer func() {
			if err := t.Close(); err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "kouzui: the trace is not complete: %s\n", oneLine(err))
			}
		}()
	}
	result, err := lab.Run(scenario, options)
	if err != nil {
		return failf(exitUsage, "%s: %w", path, err)
	}
	if o.html != "" {
		if err := o.page(c, result, path); err != nil {
			return err
		}
	}
	if o.json {
		err = labview.WriteLines(c.OutOrStdout(), result)
	} else {
		colour := isTerminal(c.OutOrStdout()) && os.Getenv("NO_COLOR") == ""
		err = labview.Table{Result: result, Nodes: o.nodes, Colour: colour}.Write(c.OutOrStdout())
	}
	if err != nil {
		return err
	}
	for _, err := range result.Wrong {
		fmt.Fprintln(c.ErrOrStderr(), err)
	}
	if n := len(result.Wrong); n > 0 {
		return failf(exitOther, "what must hold did not, %d times; replay: %s %s --seed %d", n, c.CommandPath(), path, o.seed)
	}
	return nil
}

// page writes the page with plots.
func (o *simulation) page(c *cobra.Command, r *lab.Result, path string) error {
	file, err := os.Create(o.html)
	if err != nil {
		return fail(exitCreate, err)
	}
	command := fmt.Sprintf("%s %s --seed %d", c.CommandPath(), path, o.seed)
	for _, f := range []struct{ name, value string }{{"picker", *o.picker}, {"choker", *o.choker}} {
		if f.value != asWritten {
			command += " --" + f.name + " " + f.value
		}
	}
	return fail(exitIO, errors.Join(labview.WritePage(file, r, command), file.Close()))
}

func readScenario(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, longestScenario))
	return string(text), err
}
