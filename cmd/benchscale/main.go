//go:build linux

// Command benchscale measures cost against size: what one more of a thing costs
// when there are many already. Each scenario becomes a section of the page of
// benchmarks, with a picture and a table. Sections that are not measured stay
// as they are. The command asserts nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/tool"
)

var (
	only     = flag.String("only", "", "which scenarios, by name (default all)")
	sizes    = flag.String("sizes", "", "at which sizes (default those of the scenario); changes no page")
	rounds   = flag.Int("rounds", 1, "rounds, of which the median counts")
	dir      = flag.String("dir", "/dev/shm", "where content and state lie")
	program  = flag.String("kouzui", "bin/kouzui", "the kouzui to measure")
	pageFile = flag.String("page", "BENCHMARKS.md", "the page")
	pictures = flag.String("pictures", "testdata/bench", "folder of the pictures")
)

// scenarios in the order of the page.
var scenarios = []Scenario{peers, pieces, files, torrents, start, check, latency, swarm, swarmContent}

func main() { tool.Main("benchscale", run) }

func run(ctx context.Context) error {
	path, err := exec.LookPath(*program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return err
	}
	chosen, err := tool.Choose("scenario", scenarios, *only, func(s Scenario) string { return s.Name })
	if err != nil {
		return err
	}
	for _, s := range chosen {
		at := s.Sizes
		if *sizes != "" {
			if at, err = numbers(*sizes); err != nil {
				return err
			}
		}
		rows, err := measure(ctx, s, at, path)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if *sizes == "" {
			if err := publish(s, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func numbers(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// measure goes through all sizes in each round, so that a machine that becomes
// slower does not look like an effect of size.
func measure(ctx context.Context, s Scenario, sizes []int, kouzui string) ([]row, error) {
	runs := make([][][]float64, len(sizes)) // by size, then round
	for range *rounds {
		for i, size := range sizes {
			values, err := once(ctx, s, size, kouzui)
			if err != nil {
				return nil, fmt.Errorf("at %d: %w", size, err)
			}
			for k, name := range s.columns() {
				fmt.Fprintf(os.Stderr, "%s %d: %s %s\n", s.Name, size, name, number(values[k]))
			}
			runs[i] = append(runs[i], values)
		}
	}
	rows := make([]row, len(sizes))
	for i, size := range sizes {
		rows[i] = row{size: size}
		for k := range s.columns() {
			rows[i].values = append(rows[i].values, median(runs[i], k))
		}
	}
	return rows, nil
}

func once(ctx context.Context, s Scenario, size int, kouzui string) ([]float64, error) {
	home, err := os.MkdirTemp(*dir, "kouzui-scale")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	values, err := s.Measure(ctx, &Env{Dir: home, Kouzui: kouzui}, size)
	if err == nil && ctx.Err() == nil && len(values) != len(s.columns()) {
		err = fmt.Errorf("%d values for %d columns", len(values), len(s.columns()))
	}
	return values, errors.Join(err, ctx.Err())
}

// median is that of one column over the rounds, NaN if nothing was measured.
func median(runs [][]float64, column int) float64 {
	var values []float64
	for _, r := range runs {
		if !math.IsNaN(r[column]) {
			values = append(values, r[column])
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// publish writes the picture and the section.
func publish(s Scenario, rows []row) error {
	link, err := page.Picture(*pageFile, *pictures, "scale-"+s.Name+".svg", s.picture(rows))
	if err != nil {
		return err
	}
	return page.Update(*pageFile, "scale-"+s.Name, s.section(rows, link))
}
