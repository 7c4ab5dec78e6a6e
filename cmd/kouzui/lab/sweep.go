package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/runtime/remote"
	"kouzui/actors/sweep"
	"kouzui/actors/sweep/journal"
	"kouzui/cmd/kouzui/internal/command"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/sweepd"
)

// sweeping is what the flags of sweep say.
type sweeping struct {
	trial
	listen  string
	tlsDir  string
	journal string
	lease   time.Duration
	trace   string
	shard   shard
}

func newSweep() *cobra.Command {
	var o sweeping
	c := &cobra.Command{
		Use:   "sweep EXPERIMENT.toml",
		Short: "Play an experiment on all cores, and on other machines",
		Long: `Play an experiment, as kouzui lab experiment does, with one worker process for
each core of this machine. With --listen, workers of other machines join at any
time: kouzui lab worker. What is found is the same to the byte however many
workers there were.

Each outcome is written to a journal first. If the sweep is interrupted, or
killed, the same command goes on. A worker may be killed at any time: another
one plays its run. A run that has ended three workers is put aside. One of a
hundred runs is played by two workers, and the sweep fails if they disagree.

Where machines cannot reach each other, --shard 1/8 to 8/8 each play an eighth
of the seeds, all of them whatever the precision, and show nothing: kouzui lab
merge does, from their journals.`,
		Example: `  kouzui lab sweep testdata/lab/experiments/pickers.toml
  kouzui lab certificates lab-tls
  kouzui lab sweep pickers.toml --listen 192.0.2.1:7700 --tls-dir lab-tls
  kouzui lab sweep pickers.toml --shard "$SLURM_ARRAY_TASK_ID/8"`,
		Args: flags.Arguments(1, 1, "one experiment"),
		RunE: o.run,
	}
	flags.Group(c, "Workers", func(f *pflag.FlagSet) {
		f.IntVar(&o.workers, "workers", runtime.NumCPU(), "start `N` workers on this machine")
		f.StringVar(&o.listen, "listen", "", "let workers join at `HOST:PORT`, an address of this machine that they reach")
		f.StringVar(&o.tlsDir, "tls-dir", "", "`FOLDER` with the certificates of lab certificates, which --listen needs")
		flags.Duration(f, &o.lease, "lease", sweep.DefaultLease, "give a run to another worker after `TIME`")
	})
	o.bind(c)
	flags.Group(c, "The runs", func(f *pflag.FlagSet) {
		f.Var(&o.shard, "shard", "play the `I/N`th part of the seeds, into a journal for lab merge")
	})
	flags.Group(c, "Output", func(f *pflag.FlagSet) {
		f.StringVar(&o.journal, "journal", "", "keep outcomes in `FILE` (EXPERIMENT.journal in the current folder unless set)")
		f.StringVar(&o.trace, "trace", "", "write the supervision trace of the sweep to `FILE`")
	})
	return c
}

func (o *sweeping) run(c *cobra.Command, args []string) error {
	command.CollectAt(gcPercent)
	e, err := o.read(args[0])
	if err != nil {
		return err
	}
	config := sweepd.Config{Experiment: e, Workers: o.workers, Listen: o.listen, Lease: o.lease, Journal: o.journal}
	if config.Journal == "" {
		config.Journal = strings.TrimSuffix(filepath.Base(args[0]), ".toml") + o.shard.suffix() + ".journal"
	}
	if o.shard.of > 0 && (o.json || o.csv != "" || o.html != "") {
		return exit.Usagef("", "--json, --csv and --html show what was found, and --shard does not: kouzui lab merge does")
	}
	if err := o.check(&config); err != nil {
		return err
	}
	config.Refused = func(worker, reason string) {
		fmt.Fprintf(c.ErrOrStderr(), "kouzui: warning: %s\n", exit.OneLine(fmt.Errorf("worker %s is refused: %s", worker, reason)))
	}
	trace, err := openTrace(c, o.trace, e.Name)
	if err != nil {
		return err
	}
	defer trace.close()
	config.Sinks = trace.sinks
	ctx, done := interrupt.Context()
	defer done()
	s, err := sweepd.Open(config)
	if err != nil {
		return sweepError(config.Journal, err)
	}
	if o.listen != "" {
		fmt.Fprintf(c.ErrOrStderr(), "workers join with: kouzui lab worker %s --tls-dir FOLDER\n", s.Address())
	}
	err = o.play(ctx, c, e, args, s)
	if closed := s.Close(); err == nil {
		err = closed
	}
	return sweepError(config.Journal, err)
}

// sweepError gives the errors of a sweep their exit codes.
func sweepError(path string, err error) error {
	var listening *net.OpError
	switch {
	case errors.Is(err, remote.ErrAddress):
		return exit.With(exit.Usage, err)
	case errors.As(err, &listening):
		return exit.With(exit.Network, err)
	case errors.Is(err, exit.ErrInterrupted):
		return exit.Hint("The same command goes on from "+path+".", exit.ErrInterrupted)
	case foreign(err):
		return exit.Hint("Give another --journal, or move the file away.", exit.Errorf(exit.Foreign, "%s: %w", path, err))
	case errors.Is(err, sweep.ErrGivenUp):
		return exit.With(exit.GivenUp, err)
	}
	return mergeError(err)
}

// foreign: a journal is another's.
func foreign(err error) bool {
	return errors.Is(err, journal.ErrNoJournal) || errors.Is(err, journal.ErrOtherBuild) || errors.Is(err, journal.ErrOtherExperiment)
}

// mergeError gives the errors of what stands in journals their exit codes.
func mergeError(err error) error {
	var (
		disagreed *sweepd.DisagreementError
		missing   *sweepd.MissingError
	)
	switch {
	case errors.As(err, &disagreed):
		return exit.With(exit.Mismatch, err)
	case errors.As(err, &missing):
		return exit.Hint("The sweep that has not played them goes on with the same command.", exit.With(exit.NotFound, err))
	case foreign(err):
		return exit.With(exit.Usage, err)
	}
	return err
}

// play plays what is to be played: a shard without showing what was found.
func (o *sweeping) play(ctx context.Context, c *cobra.Command, e *experiment.Experiment, args []string, s *sweepd.Sweep) error {
	if o.shard.of == 0 {
		return o.conduct(ctx, c, e, args, s)
	}
	jobs := o.shard.part(e)
	err := s.Run(ctx, jobs, o.progress(c.ErrOrStderr(), len(jobs)))
	if errors.Is(err, context.Canceled) {
		return exit.ErrInterrupted
	}
	return err
}

// check holds the flags against each other, and reads the certificates.
func (o *sweeping) check(config *sweepd.Config) (err error) {
	switch {
	case o.workers < 0 || o.workers == 0 && o.listen == "":
		return exit.Usagef("", "--workers must be at least 1, or 0 with --listen")
	case o.workers > sweep.MaxWorkers:
		return exit.Usagef("", "--workers must be at most %d", sweep.MaxWorkers)
	case o.lease < time.Second:
		return exit.Usagef("", "--lease must be at least 1s")
	case (o.listen == "") != (o.tlsDir == ""):
		return exit.Usagef("Make certificates with kouzui lab certificates FOLDER, and copy them to the machines of the workers.",
			"--listen and --tls-dir need each other: nothing listens without certificates")
	case o.listen == "":
		return nil
	}
	if err := flags.HostPort("listen", o.listen); err != nil {
		return err
	}
	config.Identity, err = readIdentity(o.tlsDir, remote.Coordinator)
	return err
}

// readIdentity reads the certificate of a role from a folder.
func readIdentity(folder string, role remote.Role) ([]byte, error) {
	path := filepath.Join(folder, remote.IdentityFile(role))
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if _, err := remote.ReadIdentity(text, role, time.Now()); err != nil {
		return nil, exit.Usagef("", "%s: %w", path, err)
	}
	return text, nil
}
