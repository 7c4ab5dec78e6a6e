// Package lab is the commands that play simulated swarms, and real ones beside
// them.
package lab

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
)

// New makes the command lab with its subcommands.
func New() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Play swarms of simulated clients",
		Long: `Play whole swarms in one process: every client is complete, with all its actors,
and time, network, disks, trackers and chance are simulated. kouzui lab run
plays a swarm with real processes as well.`,
		Example: `  kouzui lab simulate testdata/lab/flash-crowd.toml
  kouzui lab experiment testdata/lab/experiments/free-riders.toml
  kouzui lab run testdata/lab/ten.toml
  kouzui lab shrink --random --seed 138`,
		Args: flags.NoSuchCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSimulate(), newRun(), newRemoveRun(), newExperiment(), newReproduce(), newSweep(), newMerge(), newWorker(), newCertificates(), newShrink(), newPatterns())
	c.AddCommand(newDebug(), newCalibrate(), newProfile())
	return c
}

// gcPercent is for a program whose heap is actors and no payload: it collects
// garbage less often than a download does, for the sake of time.
const gcPercent = 200

// longestScenario is how many bytes a scenario may have.
const longestScenario = 1 << 20

// played is the scenario that a command plays: that of a file, or the random
// one of a seed.
type played struct {
	seed   uint64
	random bool
	set    []string // of a file: settings of its keys
}

func (p *played) bind(f *pflag.FlagSet) {
	f.Uint64Var(&p.seed, "seed", 1, "`NUMBER` that decides all chance of the run")
	f.BoolVar(&p.random, "random", false, "play the random scenario of --seed, with faults of many kinds, instead of a file")
}

// scenario reads the scenario. Its name is the argument that plays it again.
func (p *played) scenario(args []string) (s *lab.Scenario, name string, err error) {
	if p.random == (len(args) == 1) {
		return nil, "", exit.Errorf(exit.Usage, "give either a scenario or --random")
	}
	if p.random && len(p.set) > 0 {
		return nil, "", exit.Errorf(exit.Usage, "--set needs a scenario, and excludes --random")
	}
	if p.random {
		return lab.Random(p.seed), "--random", nil
	}
	set := lab.Settings{}
	for _, text := range p.set {
		key, value, err := lab.ParseSetting(text)
		if err != nil {
			return nil, "", exit.Errorf(exit.Usage, "--set %w", err)
		}
		set[key] = value
	}
	text, err := readScenario(args[0])
	if err != nil {
		return nil, "", err
	}
	if s, err = lab.Read(text); err == nil && len(set) > 0 {
		s, err = lab.ReadWith(text, set)
	}
	if err != nil {
		return nil, "", exit.Errorf(exit.Usage, "%s: %w", args[0], err)
	}
	beside := func(file string) (string, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(args[0]), file)
		}
		return readScenario(file)
	}
	if err := s.Load(beside); err != nil {
		return nil, "", exit.Errorf(exit.Usage, "%s: %w", args[0], err)
	}
	return s, args[0], nil
}

func readScenario(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, longestScenario+1))
	if err == nil && len(text) > longestScenario {
		err = exit.Usagef("", "%s is longer than %s, and no scenario", path, units.Bytes(longestScenario))
	}
	return string(text), err
}
