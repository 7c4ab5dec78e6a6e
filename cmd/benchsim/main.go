//go:build linux

// Command benchsim compares simulated swarms with real ones and with published
// results. Each part becomes a section of the page of benchmarks, with a
// picture and a table:
//
//	real    one scenario, simulated and played by processes over the loopback
//	rarest  a published result: rarest first against other pickers
//
// The command asserts nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/tool"
)

var (
	only      = flag.String("only", "", "which parts, by name, with commas between; all if empty")
	rounds    = flag.Int("rounds", 5, "how often processes play the scenario")
	seeds     = flag.Int("seeds", 10, "how often a scenario is simulated, with seeds from 1 on")
	kouzui    = flag.String("kouzui", "bin/kouzui", "the kouzui that the processes run")
	dir       = flag.String("dir", "/dev/shm", "where content lies in memory")
	scenarios = flag.String("scenarios", "testdata/lab", "folder of the scenarios")
	pageFile  = flag.String("page", "", "a Markdown file whose sections are replaced")
	pictures  = flag.String("pictures", "testdata/bench", "folder of the pictures of the page")
)

// part is a section of the page.
type part struct {
	name string
	run  func(ctx context.Context) (*section, error)
}

// section is what a part has found.
type section struct {
	picture     []byte
	description string // of the picture
	text        string // Markdown
}

var parts = []part{{"real", compareWithProcesses}, {"rarest", comparePickers}}

func main() { tool.Main("benchsim", run) }

func run(ctx context.Context) error {
	if *rounds < 1 || *seeds < 1 {
		return errors.New("-rounds and -seeds must be 1 or more")
	}
	var err error
	if *kouzui, err = filepath.Abs(*kouzui); err != nil {
		return err // each process runs in a folder of its own
	}
	chosen, err := tool.Choose("part", parts, *only, func(p part) string { return p.name })
	if err != nil {
		return err
	}
	for _, p := range chosen {
		begin := time.Now()
		s, err := p.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %v\n", p.name, time.Since(begin).Round(time.Second))
		if err := publish(p.name, s); err != nil {
			return err
		}
	}
	return nil
}

// publish prints the section and, with -page, writes it to the page.
func publish(name string, s *section) error {
	fmt.Println(s.text)
	if *pageFile == "" {
		return nil
	}
	link, err := page.Picture(*pageFile, *pictures, "sim-"+name+".svg", s.picture)
	if err != nil {
		return err
	}
	return page.Update(*pageFile, "sim-"+name, fmt.Sprintf("![%s](%s)\n\n%s\n%s", s.description, link, s.text, page.Now()))
}

func read(name string) (*lab.Scenario, error) {
	path := filepath.Join(*scenarios, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := lab.Read(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// simulate plays a scenario with all seeds, as many at a time as there are
// processors.
func simulate(ctx context.Context, s *lab.Scenario) ([]*lab.Result, error) {
	results := make([]*lab.Result, *seeds)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range results {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			one := *s
			one.Class = slices.Clone(s.Class)
			r, err := lab.Run(&one, lab.Options{Seed: uint64(i + 1)})
			if err == nil {
				err = errors.Join(r.Wrong...)
			}
			results[i] = r
			return err
		})
	}
	return results, group.Wait()
}

// spread is the results of several runs.
type spread []float64

func (s spread) String() string {
	if len(s) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(s))
	return fmt.Sprintf("%.1f (%.1f–%.1f)", s.mean(), sorted[0], sorted[len(sorted)-1])
}

func (s spread) mean() float64 {
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}
