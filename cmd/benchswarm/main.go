//go:build linux

// Command benchswarm measures whole swarms over shaped links: how long they
// take, how many bytes are redundant, and how often a seed sends what it has.
// Each node is a process in a network namespace of its own, see package shaped.
// The command asserts nothing; tables and pictures are the result.
//
// It needs root, ip, tc and sysctl, and ends with 77 where it has not got them.
//
// This compares two builds of Kouzui:
//
//	benchswarm -only crowd -teams kouzui -kouzui 'before=bin/before,kouzui=bin/after' -rounds 1
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/shaped"
	"kouzui/cmd/internal/tool"
)

var (
	only     = flag.String("only", "", "which swarms, by name, with commas between; all if empty")
	names    = flag.String("teams", "", "which teams, by name, with commas between; all if empty")
	rounds   = flag.Int("rounds", 3, "how often each team plays each swarm")
	builds   = flag.String("kouzui", "bin/kouzui", "the kouzui to measure; or several, with commas between, each with a name and = before it and flags after it")
	together = flag.Int("together", 2, "how many swarms run at a time")
	dir      = flag.String("dir", "/dev/shm", "where content lies in memory")
	file     = flag.String("page", "", "a Markdown file whose sections are replaced")
	pictures = flag.String("pictures", "testdata/bench", "folder of the pictures of the page")
	kept     = flag.String("runs", "", "a file of runs, as JSON: those that are there are not played again, others are added")
	asJSON   = flag.Bool("json", false, "write every run as JSON instead of tables")
	allowed  = flag.Duration("timeout", time.Hour, "when to give up")
)

func main() { tool.Main("benchswarm", run) }

func run(ctx context.Context) error {
	if *rounds < 1 || *together < 1 {
		return errors.New("-rounds and -together must be 1 or more")
	}
	if err := shaped.Enter(); err != nil {
		return tool.Failure{Code: tool.NotPermitted, Text: err.Error()}
	}
	chosen, err := tool.Choose("swarm", swarms, *only, func(s swarm) string { return s.name })
	if err != nil {
		return err
	}
	teams, tracker, err := teamsOf(*builds)
	if err != nil {
		return err
	}
	if teams, err = tool.Choose("team", teams, *names, func(t team) string { return t.kind }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *allowed)
	defer cancel()
	known, err := readRuns(*kept)
	if err != nil {
		return err
	}
	reports, err := measure(ctx, chosen, teams, tracker, known)
	if err != nil {
		return err
	}
	var runs []Run
	for _, r := range reports {
		runs = append(runs, r.runs...)
		if err := publish(r); err != nil {
			return err
		}
	}
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(runs)
	}
	return nil
}

// measure plays every swarm with every team, round by round.
func measure(ctx context.Context, chosen []swarm, teams []team, tracker string, known []Run) ([]*report, error) {
	type job struct {
		*report
		team  team
		round int
	}
	var reports []*report
	var jobs []job
	for _, s := range chosen {
		reports = append(reports, &report{swarm: s, teams: s.of(teams), rounds: *rounds})
	}
	for round := range max(*rounds, seeds) {
		for _, r := range reports {
			for i := range r.teams {
				if t := r.teams[(i+round)%len(r.teams)]; round < t.rounds() {
					jobs = append(jobs, job{r, t, round})
				}
			}
		}
	}
	var group errgroup.Group
	group.SetLimit(*together)
	for _, j := range jobs {
		what := Run{Swarm: j.swarm.name, Team: j.team.name, Round: j.round + 1}
		if i := slices.IndexFunc(known, what.same); i >= 0 {
			j.add(known[i], nil)
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r, err := play(ctx, j.swarm, j.team, tracker, j.round)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r.Swarm, r.Team, r.Round = what.Swarm, what.Team, what.Round
			if !j.add(r, err) {
				return nil
			}
			return keep(*kept, r)
		})
	}
	return reports, group.Wait()
}

// publish prints the section of a swarm and, with -page, writes it to the page.
func publish(r *report) error {
	text := r.text()
	if !*asJSON {
		fmt.Printf("## %s\n\n%s\n", r.swarm.name, text)
	}
	if *file == "" {
		return nil
	}
	figure := r.figure()
	link, err := page.Picture(*file, *pictures, "swarm-"+r.swarm.name+".svg", figure.SVG())
	if err != nil {
		return err
	}
	return page.Update(*file, "swarm-"+r.swarm.name, fmt.Sprintf("![%s](%s)\n\n%s", figure.Title, link, text))
}
