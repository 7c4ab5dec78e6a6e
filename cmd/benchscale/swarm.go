//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kouzui/cmd/internal/chart"
)

var swarm = Scenario{
	Name:  "swarm",
	Title: "A simulated swarm",
	About: `How long ` + "`kouzui lab simulate --quick`" + ` takes on one processor for a seed and so many others who come within ten seconds, have 20
connections each at most, and download 4 MiB in pieces of 256 KiB. Payload is described, and the same run with real bytes differs in no message.`,
	Size:    chart.Axis{Label: "nodes", Log: true},
	Sizes:   []int{100, 300, 1000},
	Panels:  swarmPanels,
	Measure: func(ctx context.Context, e *Env, nodes int) ([]float64, error) { return simulate(ctx, e, nodes, 4) },
}

var swarmContent = Scenario{
	Name:    "swarm-content",
	Title:   "What a simulated swarm downloads",
	About:   `The same for 100 nodes, and more content.`,
	Size:    chart.Axis{Label: "MiB of content", Log: true},
	Sizes:   []int{4, 16, 64},
	Panels:  swarmPanels,
	Measure: func(ctx context.Context, e *Env, mib int) ([]float64, error) { return simulate(ctx, e, 100, mib) },
}

var swarmPanels = []Panel{
	{Title: "Time", Axis: chart.Axis{Label: "seconds", Log: true}, Columns: []string{"wall, s", "CPU, s"}},
	{Title: "Of a message", Axis: chart.Axis{Label: "µs of CPU"}, Columns: []string{"µs a message"}},
	{Title: "Memory", Axis: chart.Axis{Label: "MiB resident at most", Log: true}, Columns: []string{"MiB"}},
	{Title: "Messages", Axis: chart.Axis{Label: "millions", Log: true}, Columns: []string{"million messages"}},
}

const swarmScenario = `
content = "%d MiB"
piece = "256 KiB"

[[class]]
name = "seed"
have = 1.0
up = "20 MiB"
delay = "10ms"
peers = 20

[[class]]
name = "peer"
count = %d
up = "5 MiB"
down = "20 MiB"
delay = "20ms"
within = "10s"
peers = 20
`

func simulate(ctx context.Context, e *Env, nodes, mib int) ([]float64, error) {
	path := filepath.Join(e.Dir, "swarm.toml")
	if err := os.WriteFile(path, fmt.Appendf(nil, swarmScenario, mib, nodes-1), 0o644); err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, e.Kouzui, "lab", "simulate", path, "--quick", "--json")
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	var wrong strings.Builder
	c.Stderr = &wrong
	begin := time.Now()
	said, err := c.Output()
	took := time.Since(begin)
	if err != nil {
		return nil, fmt.Errorf("kouzui lab simulate: %w: %s", err, strings.TrimSpace(wrong.String()))
	}
	var all struct {
		Type     string
		Messages float64
	}
	for d := json.NewDecoder(bytes.NewReader(said)); all.Type != "swarm"; {
		if err := d.Decode(&all); err == io.EOF {
			return nil, fmt.Errorf("kouzui lab simulate says nothing of the swarm")
		} else if err != nil {
			return nil, err
		}
	}
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	return []float64{took.Seconds(), cpu, cpu * 1e6 / all.Messages, mebibytes(used.Maxrss << 10), all.Messages / 1e6}, nil
}
