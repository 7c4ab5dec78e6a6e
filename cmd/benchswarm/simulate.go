//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"kouzui/actors/lab"
	"kouzui/cmd/internal/shaped"
)

// scenario is the swarm as it is simulated: links, the queues before uplinks,
// arrivals and departures are the same, the network has no other delay.
func (s swarm) scenario() *lab.Scenario {
	one := &lab.Scenario{
		Name: s.name, Content: contentLength, Piece: pieceLength,
		Class: []lab.Class{{Name: "seed", Count: 1, Have: 1, Up: seedUp, Down: down, Queue: lab.Time(shaped.Queue(seedUp))}},
	}
	for i := range leechers {
		c := lab.Class{Name: "leech" + strconv.Itoa(i), Count: 1, Up: lab.Rate(s.rate(i)), Down: down, Arrive: lab.Time(s.arrival(i))}
		c.Queue = lab.Time(shaped.Queue(s.rate(i)))
		if s.leave {
			c.Leave = "complete"
		}
		one.Class = append(one.Class, c)
	}
	return one
}

// simulate has a kouzui simulate the swarm.
func simulate(ctx context.Context, s swarm, kouzui string, seed int) (r Run, err error) {
	home, err := os.MkdirTemp(*dir, "kouzui-swarm")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(home)
	path := filepath.Join(home, "scenario.toml")
	if err := os.WriteFile(path, []byte(s.scenario().TOML()), 0o600); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, swarmTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, kouzui, "lab", "simulate", path, "--seed", strconv.Itoa(seed), "--quick", "--json")
	var wrong bytes.Buffer
	c.Stderr = &wrong
	said, err := c.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, bytes.TrimSpace(wrong.Bytes()))
	}
	return simulated(s, said)
}

// simulated is the run that lines of `kouzui lab simulate --json` tell.
func simulated(s swarm, lines []byte) (r Run, err error) {
	for d := json.NewDecoder(bytes.NewReader(lines)); d.More(); {
		var line struct {
			Type     string  `json:"type"`
			Seed     bool    `json:"was_seed"`
			Arrived  float64 `json:"arrived_seconds"`
			Took     float64 `json:"complete_after_seconds"`
			Wasted   int64   `json:"wasted_bytes"`
			Uploaded int64   `json:"uploaded_bytes"`
			Copies   float64 `json:"seed_copies"`
			End      float64 `json:"all_complete_at_seconds"`
		}
		if err := d.Decode(&line); err != nil {
			return r, err
		}
		switch {
		case line.Type == "swarm":
			r.First, r.Last = line.Copies, line.End
		case line.Type != "node":
		case line.Seed:
			r.Sent = float64(line.Uploaded) / contentLength
		default:
			r.Nodes = append(r.Nodes, Node{
				Client: "simulated", Up: s.rate(len(r.Nodes)), Arrived: line.Arrived, Took: line.Took, Redundant: line.Wasted,
			})
		}
	}
	if len(r.Nodes) != leechers {
		return r, fmt.Errorf("%d leechers are simulated, not %d", len(r.Nodes), leechers)
	}
	return r, nil
}
