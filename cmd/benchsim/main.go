//go:build linux

// Command benchsim asks what simulated swarms are worth. Its parts become sections
// of the page of benchmarks, with a picture and a table each:
//
//	real    the same scenario, simulated and played by processes over the loopback
//	rarest  a published result, repeated: rarest first against other pickers
//
// It asserts nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/page"
)

var (
	only      = flag.String("only", "", "which parts, by name, with commas between; all if empty")
	rounds    = flag.Int("rounds", 3, "how often processes play a scenario")
	seeds     = flag.Int("seeds", 10, "how often it is simulated, by seeds from 1 on")
	kouzui    = flag.String("kouzui", "bin/kouzui", "the program that plays")
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

var parts = []part{{"real", held}, {"rarest", repeated}}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "benchsim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if *rounds < 1 || *seeds < 1 {
		return errors.New("-rounds and -seeds must be 1 or more")
	}
	var err error
	if *kouzui, err = filepath.Abs(*kouzui); err != nil {
		return err // each process runs in a folder of its own
	}
	chosen := strings.Split(*only, ",")
	for _, p := range parts {
		if *only != "" && !slices.Contains(chosen, p.name) {
			continue
		}
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

// publish prints the section, and writes it with its picture where there is a page.
func publish(name string, s *section) error {
	fmt.Println(s.text)
	if *pageFile == "" {
		return nil
	}
	path := filepath.Join(*pictures, "sim-"+name+".svg")
	if err := os.WriteFile(path, s.picture, 0o644); err != nil {
		return err
	}
	link, err := filepath.Rel(filepath.Dir(*pageFile), path)
	if err != nil {
		return err
	}
	return page.Update(*pageFile, "sim-"+name, fmt.Sprintf("![%s](%s)\n\n%s\n%s", s.description, filepath.ToSlash(link), s.text, page.Now()))
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
// processors: a run is a goroutine's.
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

// spread is what several runs gave.
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
