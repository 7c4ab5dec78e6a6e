package lab

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab"
	"kouzui/actors/lab/debug"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/debugview"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/output"
)

// debugging is what the flags of debug say.
type debugging struct {
	variant
	at, until string
	atMessage uint64
	atSeq     uint64
	node      string
	json      bool
	colour    *string
}

func newDebug() *cobra.Command {
	var o debugging
	c := &cobra.Command{
		Use:   "debug [SCENARIO.toml]",
		Short: "Look into a simulated run at any moment, and step on or back",
		Long: `Play a scenario up to a moment, and show what is there: the supervision trees,
the messages that wait, what is due next. Then commands are read, one a line:
they step from message to message, go on until something happens, show what an
actor holds and what led to a message, and go back. ` + "`help`" + ` lists them.

The seed decides everything, so that going back is playing the run again up to
an earlier message. A run that is looked at is the same run as without.

On a terminal, an interrupt makes a long way pause. If stdin is none, the first
line that is wrong, or does not arrive where it was to go, ends the command.`,
		Example: `  kouzui lab debug testdata/lab/crashes.toml --at 12.3s
  kouzui lab debug --random --seed 138 --until wrong
  echo tree | kouzui lab debug testdata/lab/ten.toml --at-seq 200 --json`,
		Args: flags.Arguments(0, 1, "at most one scenario"),
		RunE: o.run,
	}
	flags.Group(c, "The run", func(f *pflag.FlagSet) {
		o.bind(c, f)
		f.BoolVar(&o.quick, "quick", false, "skip the checks that look at every message, as simulate --quick does")
		f.BoolVar(&o.notes, "notes", false, "trace what actors do as well, as simulate --notes does")
	})
	flags.Group(c, "Where it pauses first", func(f *pflag.FlagSet) {
		f.StringVar(&o.at, "at", "", "a `TIME` since the start, such as 12.3s")
		f.Uint64Var(&o.atMessage, "at-message", 0, "before message `N` is handled")
		f.Uint64Var(&o.atSeq, "at-seq", 0, "at event `SEQ` of the trace that simulate --trace writes")
		f.StringVar(&o.until, "until", "", "at the first `WHAT`: failure, restart, wrong (a failed check), or a kind of event; 'WHAT ACTOR': of that one")
	})
	complete := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return debugview.Whats(), cobra.ShellCompDirectiveNoFileComp
	}
	if err := c.RegisterFlagCompletionFunc("until", complete); err != nil {
		panic(err) // only for a flag that does not exist
	}
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.node, "node", "", "show at first the node of this `NAME` alone")
		f.BoolVar(&o.json, "json", false, "write JSON lines to stdout")
		o.colour = flags.Colour(c)
	})
	return c
}

// first is the flag that says where the run pauses first, and the command that
// goes there; empty: it pauses at the start.
func (o *debugging) first(c *cobra.Command) (flag, line string, err error) {
	for _, f := range []struct{ name, command string }{{"at", "run "}, {"at-message", "goto "}, {"at-seq", "goto #"}, {"until", "until "}} {
		if !c.Flags().Changed(f.name) {
			continue
		}
		if flag != "" {
			return "", "", exit.Errorf(exit.Usage, "--%s and --%s exclude each other", flag, f.name)
		}
		flag, line = f.name, f.command+c.Flags().Lookup(f.name).Value.String()
	}
	return flag, line, nil
}

func (o *debugging) run(c *cobra.Command, args []string) error {
	command.CollectAt(gcPercent)
	scenario, path, err := o.scenario(c, args)
	if err != nil {
		return err
	}
	flag, line, err := o.first(c)
	if err != nil {
		return err
	}
	d, err := debug.New(scenario, lab.Options{Seed: o.seed, Notes: o.notes, Quick: o.quick})
	if err != nil {
		return exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	defer d.Close()
	out := c.OutOrStdout()
	s := &debugview.Session{
		Debugger: d, Run: fmt.Sprintf("%s, seed %d", cmp.Or(scenario.Name, path), o.seed), Out: out, JSON: o.json,
		Colour: output.ColouredResults(c, *o.colour), Width: func() int { return output.Width(out) },
	}
	ctx, stop := listen(c, s)
	defer stop()
	if flag != "" {
		if err := s.Begin(line); err != nil {
			return exit.Errorf(exit.Code(err), "--%s: %w", flag, err)
		}
	}
	if err := s.Overview(o.node); err != nil {
		return err
	}
	return s.Converse(ctx, c.InOrStdin(), c.ErrOrStderr())
}

// listen has an interrupt pause the run; what ends a program ends the context,
// too. Of a user who is not at a terminal, an interrupt does.
func listen(c *cobra.Command, s *debugview.Session) (context.Context, func()) {
	ends := []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
	if !s.Interactive(c.InOrStdin()) {
		ends = append(ends, os.Interrupt)
	}
	ctx, stop := signal.NotifyContext(c.Context(), ends...)
	context.AfterFunc(ctx, s.Debugger.Interrupt)
	interrupts := make(chan os.Signal, 1)
	if s.Interactive(c.InOrStdin()) {
		signal.Notify(interrupts, os.Interrupt)
	}
	go func() {
		for range interrupts {
			s.Debugger.Interrupt()
		}
	}()
	return ctx, func() {
		signal.Stop(interrupts)
		close(interrupts)
		stop()
	}
}
