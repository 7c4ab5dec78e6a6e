package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/units"
	"kouzui/actors/runtime/work"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/cmd/kouzui/internal/outfile"
	"kouzui/cmd/kouzui/internal/version"
)

const (
	// mostRounds bounds a calibration.
	mostRounds = 20
	// leastContent is what a download must have for its start not to matter, and
	// mostContent keeps the temporary files small.
	leastContent, mostContent = 16 << 20, 2 << 30
)

// calibration is what the flags of calibrate say.
type calibration struct {
	out, size string
	rounds    int
	check     string
}

func newCalibrate() *cobra.Command {
	var o calibration
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Measure what handling messages costs on this machine",
		Long: `Measure what handling messages costs on this machine, in real downloads from one
process of this program to another over the loopback interface, and write the
table that the key costs of a scenario names. Of several rounds the least costs
count, because other work on the machine only adds to them. Half of the rounds
have one processor. The data is random, stands in a temporary folder (see
TMPDIR), and is removed.

With --check a table that was measured before is held against the downloads: the
quickest, which other work has disturbed the least, beside a simulated one.`,
		Example: `  kouzui lab calibrate --out costs.toml
  kouzui lab calibrate --size 1G --rounds 8
  kouzui lab calibrate --check costs.toml`,
		Args: flags.Arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, done := interrupt.Context()
			defer done()
			return o.run(ctx, c)
		},
	}
	c.Flags().StringVar(&o.out, "out", "", "write the table to `FILE` instead of stdout")
	c.Flags().StringVar(&o.size, "size", "256M", "`SIZE` of what each round downloads")
	c.Flags().StringVar(&o.check, "check", "", "say how far simulated downloads with the table of `FILE` are from real ones")
	c.Flags().IntVar(&o.rounds, "rounds", 4, "download `N` times")
	return c
}

func (o *calibration) run(ctx context.Context, c *cobra.Command) error {
	size, err := units.ParseBytes(o.size)
	if err == nil && (size < leastContent || size > mostContent) {
		err = fmt.Errorf("must be from %s to %s", units.Bytes(leastContent), units.Bytes(mostContent))
	}
	if err != nil {
		return exit.Errorf(exit.Usage, "--size %s: %w", o.size, err)
	}
	if o.rounds < 2 || o.rounds > mostRounds {
		return exit.Errorf(exit.Usage, "--rounds %d: must be from 2 to %d", o.rounds, mostRounds)
	}
	var table *work.Table // to be held against downloads; nil: one is to be made
	if o.check != "" {
		if o.out != "" {
			return exit.Usagef("", "--check and --out exclude each other: a table is checked or made")
		}
		if table, err = readCosts(o.check); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "kouzui-calibrate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := newPair(dir, size)
	if err != nil {
		return err
	}
	downloads, err := o.play(ctx, c.ErrOrStderr(), p)
	if err != nil {
		return err
	}
	if table != nil {
		return p.writeHeld(c.OutOrStdout(), table, downloads)
	}
	var rounds []work.Round
	for _, d := range downloads {
		rounds = append(rounds, d.Round)
	}
	return o.write(c, work.Measured(machine(), rounds))
}

// play plays the rounds.
func (o *calibration) play(ctx context.Context, say io.Writer, p *pair) (all []download, err error) {
	for i := range o.rounds {
		cores := 1
		if i%2 == 1 {
			cores = runtime.NumCPU()
		}
		d, err := p.round(ctx, cores)
		if ctx.Err() != nil {
			return nil, exit.ErrInterrupted
		}
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i+1, err)
		}
		fmt.Fprintf(say, "round %d of %d: %s in %v, on %s each\n", i+1, o.rounds, units.Bytes(p.content.Info.Length), d.took.Round(time.Millisecond), units.Count(cores, "processor"))
		all = append(all, d)
	}
	return all, nil
}

// write writes the table to where it was asked for, and says what it lacks.
func (o *calibration) write(c *cobra.Command, table *work.Table) error {
	for _, cost := range table.Unseen() {
		fmt.Fprintf(c.ErrOrStderr(), "kouzui: warning: the cost of %s %s could not be told from other work on this machine, and is 0 in the table\n", cost.Kind, cost.Message)
	}
	text := "# Measured by kouzui lab calibrate, build " + version.Build() + ".\n" + table.TOML()
	if o.out == "" {
		_, err := io.WriteString(c.OutOrStdout(), text)
		return err
	}
	file, err := outfile.Create(o.out, true)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := io.WriteString(file, text); err != nil {
		return err
	}
	return file.Commit()
}

// readCosts reads a table of costs.
func readCosts(path string) (*work.Table, error) {
	text, err := readScenario(path)
	if err != nil {
		return nil, err
	}
	table, err := work.ReadTable(text)
	if err != nil {
		return nil, exit.Errorf(exit.Usage, "%s: %w", path, err)
	}
	return table, nil
}

// machine says on what the costs are measured.
func machine() string {
	return fmt.Sprintf("%s, %s, %s/%s, %s", processorName(), units.Count(runtime.NumCPU(), "processor"), runtime.GOOS, runtime.GOARCH, runtime.Version())
}
