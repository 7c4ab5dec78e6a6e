package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kouzui/actors"
	"kouzui/actors/lab"
	"kouzui/actors/supervise"
	"kouzui/actors/trace"
	"kouzui/cmd/kouzui/internal/units"
)

func newLab() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Experiment with swarms of simulated clients",
		Args:  noSuchCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSimulate())
	return c
}

// simulation is what the flags of simulate say.
type simulation struct {
	seed  uint64
	trace string
	notes bool
	json  bool
}

func newSimulate() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use:   "simulate SCENARIO.toml",
		Short: "Play a swarm of real clients in a simulated world",
		Long: `Play a scenario: clients as they are, with all their actors, in a world in which time,
network, disks, trackers and chance are simulated. The seed decides everything: the
same one gives the same run again, to the last message. How a scenario is written
stands in testdata/lab/README.md.

What must hold of every swarm is checked on the way. If it does not, the exit code is
` + strconv.Itoa(exitOther) + `.`,
		Example: `  kouzui lab simulate testdata/lab/flash-crowd.toml
  kouzui lab simulate testdata/lab/partition.toml --seed 7 --trace run.trace`,
		Args: arguments(1, 1, "one scenario"),
		RunE: func(c *cobra.Command, args []string) error { return o.run(c, args[0]) },
	}
	f := c.Flags()
	f.Uint64Var(&o.seed, "seed", 1, "what chance is made of")
	f.StringVar(&o.trace, "trace", "", "write the supervision trace of all nodes to `FILE`")
	f.BoolVar(&o.notes, "notes", false, "put what actors do into the trace too")
	f.BoolVar(&o.json, "json", false, "write JSON lines to stdout: a node each, then the swarm")
	return c
}

// longestScenario is how much of a file is read as a scenario, in bytes.
const longestScenario = 1 << 20

func (o *simulation) run(c *cobra.Command, path string) error {
	text, err := readScenario(path)
	if err != nil {
		return err
	}
	scenario, err := lab.Read(text)
	if err != nil {
		return failf(exitUsage, "%s: %w", path, err)
	}
	options := lab.Options{Seed: o.seed, Notes: o.notes}
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
		options.Trace = []supervise.Sink{t}
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
	show := showTable
	if o.json {
		show = showLines
	}
	if err := show(c.OutOrStdout(), result); err != nil {
		return err
	}
	for _, err := range result.Wrong {
		fmt.Fprintln(c.ErrOrStderr(), err)
	}
	if n := len(result.Wrong); n > 0 {
		return failf(exitOther, "what must hold did not, %d times; the same seed shows it again", n)
	}
	return nil
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

func showTable(w io.Writer, r *lab.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "class\tnodes\tcomplete\tmedian\t95 %\tlast\tdown\tup\twasted\trestarts\tmemory\t")
	for _, nodes := range r.Classes() {
		times := nodes.Times()
		sum := nodes.Total()
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t\n", nodes[0].Class, len(nodes), nodes.Complete(),
			took(times, 0.5), took(times, 0.95), took(times, 1),
			units.Bytes(sum.Downloaded), units.Bytes(sum.Uploaded), units.Bytes(sum.Wasted), sum.Restarts, units.Bytes(sum.Peak))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	last := lab.Quantile(r.Times(), 1)
	fmt.Fprintf(w, "\nThe last was complete after %s; no swarm can be quicker than %s.\n", seconds(last), seconds(r.Bound))
	fmt.Fprintf(w, "Fairness (Jain) of what downloaders gave: %.2f. Messages: %d. Virtual time: %s, real: %s.\n",
		r.Fairness(), r.Messages, seconds(r.Virtual), seconds(r.Real))
	return nil
}

func took(times []time.Duration, part float64) string {
	if len(times) == 0 {
		return "-"
	}
	return seconds(lab.Quantile(times, part))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// line is a JSON line of simulate; times are in seconds.
type line struct {
	Kind       string   `json:"kind"` // "node" or "swarm"
	Name       string   `json:"name"`
	Class      string   `json:"class,omitempty"`
	Seed       *uint64  `json:"seed,omitempty"`
	Arrived    float64  `json:"arrived"`
	Took       *float64 `json:"took"` // null: not complete; of the swarm: the last
	Median     *float64 `json:"median,omitempty"`
	Most       *float64 `json:"percentile_95,omitempty"`
	Bound      *float64 `json:"lower_bound,omitempty"`
	Fairness   *float64 `json:"fairness,omitempty"`
	Downloaded int64    `json:"downloaded"`
	Uploaded   int64    `json:"uploaded"`
	Wasted     int64    `json:"wasted"`
	Restarts   int      `json:"restarts"`
	Peak       int64    `json:"memory_peak"`
	Messages   uint64   `json:"messages,omitempty"`
	Wrong      []string `json:"wrong,omitempty"`
}

func showLines(w io.Writer, r *lab.Result) error {
	out := json.NewEncoder(w)
	for _, n := range r.Nodes {
		one := line{Kind: "node", Name: n.Name, Class: n.Class, Arrived: n.Arrived.Seconds(),
			Downloaded: n.Downloaded, Uploaded: n.Uploaded, Wasted: n.Wasted, Restarts: n.Restarts, Peak: n.Peak}
		if n.Took >= 0 {
			one.Took = number(n.Took.Seconds())
		}
		if err := out.Encode(one); err != nil {
			return err
		}
	}
	times, sum := r.Times(), r.Total()
	all := line{Kind: "swarm", Name: r.Scenario, Seed: &r.Seed, Downloaded: sum.Downloaded, Uploaded: sum.Uploaded, Wasted: sum.Wasted,
		Restarts: sum.Restarts, Peak: sum.Peak, Messages: r.Messages, Fairness: number(r.Fairness())}
	if len(times) > 0 {
		all.Took, all.Median = number(lab.Quantile(times, 1).Seconds()), number(lab.Quantile(times, 0.5).Seconds())
		all.Most = number(lab.Quantile(times, 0.95).Seconds())
	}
	if r.Bound > 0 {
		all.Bound = number(r.Bound.Seconds())
	}
	for _, err := range r.Wrong {
		all.Wrong = append(all.Wrong, err.Error())
	}
	return out.Encode(all)
}

func number(x float64) *float64 { return &x }
