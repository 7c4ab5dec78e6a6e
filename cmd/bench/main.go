//go:build linux

// Command bench measures whole transfers over the loopback: processor time,
// wall time and memory of Kouzui beside other clients that do the same. It
// asserts nothing; tables are the result, on stdout and, with -page, in the
// sections of a Markdown file.
//
// Each part (see parts.go) becomes a section of the page. A part has scenarios.
// Each of its rounds runs all scenarios with every client in turn, and begins
// with another client than the round before. In a run, the measured client and
// a partner transfer data; the partner is libtorrent unless -partner says
// otherwise. Every byte is compared afterwards.
//
// This compares two builds of Kouzui, and a build with other flags:
//
//	bench -clients kouzui -kouzui 'bin/before,bin/after,bin/after --memory 8M' -only download,seed
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"kouzui/cmd/internal/page"
	"kouzui/cmd/internal/tool"
)

var (
	only    = flag.String("only", "", "which parts, by name, with commas between; all if empty")
	size    = flag.Int64("size", 1024, "MiB of content; some parts take a half or a quarter")
	rounds  = flag.Int("rounds", 3, "rounds; of some parts half as many, or three times")
	names   = flag.String("clients", "", "which clients, by name, with commas between; all if empty")
	builds  = flag.String("kouzui", "bin/kouzui", "the kouzui to measure; or several, with commas between, each with a name and = before it and flags after it")
	with    = flag.String("partner", "libtorrent", "the client at the other end: libtorrent or kouzui, the first build")
	dir     = flag.String("dir", "/dev/shm", "where content lies in memory")
	disk    = flag.String("disk", ".cache", "where content lies on a disk")
	file    = flag.String("page", "", "a Markdown file whose sections are replaced")
	asJSON  = flag.Bool("json", false, "write every run as JSON instead of tables")
	allowed = flag.Duration("timeout", 30*time.Minute, "when to give up")
)

func main() { tool.Main("bench", run) }

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, *allowed)
	defer cancel()
	chosen, err := tool.Choose("part", parts, *only, func(p part) string { return p.name })
	if err != nil {
		return err
	}
	clients, err := participants(*names, *builds)
	if err != nil {
		return err
	}
	if len(clients) == 0 {
		return errors.New("there is no client to measure")
	}
	partners, err := participants(*with, *builds)
	if err != nil {
		return err
	}
	if len(partners) == 0 || !partners[0].Dials {
		return fmt.Errorf("-partner %s: it is not installed, or cannot be told of a peer", *with)
	}
	var runs []Run
	for _, p := range chosen {
		begin := time.Now()
		r, err := measure(ctx, p, clients, partners[0])
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %v\n", p.name, time.Since(begin).Round(time.Second))
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

// publish writes the section as soon as it is complete.
func publish(r *report) error {
	text := r.part.show(r) + "\n" + r.footnote()
	if !*asJSON {
		fmt.Printf("## %s\n\n%s\n", r.part.name, text)
	}
	if *file == "" {
		return nil
	}
	return page.Update(*file, r.part.name, text)
}
