package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	"kouzui/cmd/kouzui/internal/processes"
)

// processRun is what the flags of run say.
type processRun struct {
	played
	timeout time.Duration
	dir     string
	netns   bool
	nodes   bool
	json    bool
	html    string
	quiet   bool
}

func newRun() *cobra.Command {
	var o processRun
	c := &cobra.Command{
		Use:   "run SCENARIO.toml",
		Short: "Play a swarm with real processes, beside the simulated one",
		Long: `Play a scenario twice: simulated, as kouzui lab simulate does, and with one
process of this program for each node, at the same times, on the loopback
interface of this machine. Both results are shown with their differences.

The clients keep to the rates of their class as limits of their own. With
--netns, as root, each has a network namespace with a link, as the simulated
ones do: rates, delays, losses and partitions are those of the link.

What processes cannot play is refused, or said to be left out;
testdata/lab/README.md lists both. All processes, namespaces and files end with
the command, however it ends.

If a node fails, is not complete in time, or has other data than it should, the
exit code is ` + strconv.Itoa(exit.Other) + `, and ` + strconv.Itoa(exit.Timeout) + ` if nothing but time was missing.`,
		Example: `  kouzui lab run testdata/lab/ten.toml --html page.html
  kouzui lab run testdata/lab/ten.toml --set class.seed.superseed=always
  sudo kouzui lab run testdata/lab/far.toml --netns`,
		Args: flags.Arguments(1, 1, "one scenario"),
		RunE: o.run,
	}
	flags.Group(c, "The run", func(f *pflag.FlagSet) {
		f.Uint64Var(&o.seed, "seed", 1, "`NUMBER` that decides all chance of the scenario")
		f.StringArrayVar(&o.set, "set", nil, "replace what the scenario says by `KEY=VALUE`, such as class.peer.up=1M; repeatable")
		f.BoolVar(&o.netns, "netns", false, "give each node a network namespace with a link of its own (Linux, as root, with ip, tc and sysctl)")
		flags.Duration(f, &o.timeout, "timeout", 10*time.Minute, "end the swarm of processes after `TIME`, or sooner if the scenario's limit is")
		f.StringVar(&o.dir, "dir", "", "keep the files of the swarm in `FOLDER` while it runs (default: the system's folder for such files)")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.BoolVar(&o.nodes, "nodes", false, "show each node in the tables as well")
		f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: nodes, classes, the swarm, of both; differences")
		f.StringVar(&o.html, "html", "", "write a self-contained page with plots of both to `FILE`")
		f.BoolVarP(&o.quiet, "quiet", "q", false, "do not say how many nodes are complete")
	})
	return c
}

func (o *processRun) run(c *cobra.Command, args []string) error {
	command.CollectAt(gcPercent)
	if err := processes.Supported(); err != nil {
		return err
	}
	if o.netns {
		if err := processes.EnterNamespace(); err != nil {
			return err
		}
	}
	scenario, path, err := o.scenario(args)
	if err != nil {
		return err
	}
	if o.timeout <= 0 {
		return exit.Usagef("", "--timeout must be more than 0")
	}
	notes, err := processes.Playable(scenario, o.netns)
	if err != nil {
		return exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	if err := processes.Fits(scenario, o.dir); err != nil {
		return err
	}
	if o.html != "" {
		if err := outfile.Try(o.html, outfile.Page); err != nil {
			return err
		}
	}
	for _, note := range notes {
		fmt.Fprintf(c.ErrOrStderr(), "kouzui: warning: %s\n", note)
	}
	both := labview.Versus{Nodes: o.nodes, Notes: notes, Command: o.again(c, path)}
	if err := o.play(c, scenario, path, &both); err != nil {
		return err
	}
	if o.html != "" {
		if err := replace(o.html, outfile.Page, both.WritePage); err != nil {
			return err
		}
	}
	if o.json {
		err = both.WriteLines(c.OutOrStdout())
	} else {
		both.Colour = output.ColouredResults(c, "auto")
		err = both.Write(output.Fit(c.OutOrStdout(), labview.FactColumn))
	}
	if err != nil {
		return err
	}
	return told(c.ErrOrStderr(), &both)
}

// play plays the simulated swarm, and then the processes.
func (o *processRun) play(c *cobra.Command, s *lab.Scenario, path string, both *labview.Versus) (err error) {
	ctx, done := interrupt.Context()
	defer done()
	both.Simulated, err = lab.Run(s, lab.Options{Seed: o.seed, Quick: true, Path: o.html != "" || o.json, Stop: ctx.Done()})
	switch {
	case errors.Is(err, lab.ErrStopped):
		return exit.ErrInterrupted
	case err != nil:
		return exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	config := processes.Config{Scenario: s, Nodes: both.Simulated.Nodes, Seed: o.seed, Timeout: o.timeout, Dir: o.dir, Namespaces: o.netns}
	if !o.quiet {
		began := time.Now()
		config.Complete = func(complete, of int) {
			fmt.Fprintf(c.ErrOrStderr(), "%d of %d complete after %.0f s\n", complete, of, time.Since(began).Seconds())
		}
	}
	both.Real, err = processes.Play(ctx, config)
	return err
}

// told says what went wrong.
func told(w io.Writer, both *labview.Versus) error {
	late, failed := false, 0
	for _, r := range []*lab.Result{both.Simulated, both.Real} {
		for _, err := range r.Wrong {
			if errors.Is(err, processes.ErrLate) {
				late = true
			} else {
				failed++
			}
			fmt.Fprintln(w, exit.OneLine(err))
		}
	}
	switch {
	case failed > 0:
		return exit.Errorf(exit.Other, "%s; to play the swarm again: %s", units.Count(failed, "failure"), both.Command)
	case late:
		return exit.Errorf(exit.Timeout, "the time is up, and the swarm is not complete")
	}
	return nil
}

// again is the command that plays the swarm again.
func (o *processRun) again(c *cobra.Command, path string) string {
	command := fmt.Sprintf("%s %s --seed %d", c.CommandPath(), experiment.Quoted(path), o.seed)
	if o.netns {
		command += " --netns"
	}
	for _, text := range o.set {
		command += " --set " + experiment.Quoted(text)
	}
	return command
}

// newRemoveRun makes the command that lab run starts for its folder.
func newRemoveRun() *cobra.Command {
	return &cobra.Command{
		Use:     processes.Remover + " FOLDER",
		Short:   "Remove the folder of lab run when stdin ends",
		Example: "  kouzui lab " + processes.Remover + " /tmp/kouzui-run-1 </dev/null",
		Hidden:  true,
		Args:    flags.Arguments(1, 1, "one folder"),
		RunE:    func(_ *cobra.Command, args []string) error { return processes.RemoveAfter(args[0], os.Stdin) },
	}
}
