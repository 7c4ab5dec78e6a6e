//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// same tells whether two runs are of the same round.
func (r Run) same(as Run) bool {
	return r.Swarm == as.Swarm && r.Team == as.Team && r.Round == as.Round
}

// readRuns reads the runs that keep has written to the file at path, if there
// are any. Without a path there are none.
func readRuns(path string) (runs []Run, err error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(text)); d.More(); {
		var r Run
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// keeping guards the file of runs.
var keeping sync.Mutex

// keep adds a run to the file at path, a line each. Without a path it does
// nothing.
func keep(path string, r Run) error {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	keeping.Lock()
	defer keeping.Unlock()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}
