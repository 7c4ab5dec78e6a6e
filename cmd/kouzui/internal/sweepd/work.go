package sweepd

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rs/zerolog"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/remote"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/sweep"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/player"
	"kouzui/actors/sweep/worker"
	"kouzui/actors/world/real"
)

// WorkConfig is what Work needs.
type WorkConfig struct {
	Sweep    string // HOST:PORT of the sweep
	ID       string // empty: a new one
	Identity []byte // as of remote.ReadIdentity
	// Listen is the HOST:PORT at which the sweep reaches the worker; empty: the
	// address from which the worker reaches the sweep, and any port.
	Listen   string
	Patience time.Duration // for a sweep that does not answer
	Sinks    []event.Sink
}

// Inherit reads from the standard input of a worker what the sweep that has
// started it says, and ends the process when that sweep ends.
func Inherit(c *WorkConfig, stdin io.Reader) error {
	lines := bufio.NewReader(io.LimitReader(stdin, maxBirth))
	line, err := lines.ReadBytes('\n')
	var b birth
	if err == nil {
		err = json.Unmarshal(line, &b)
	}
	if err != nil {
		return fmt.Errorf("no sweep says on the standard input who this worker is: %w", err)
	}
	c.ID, c.Identity = b.ID, b.Identity
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // ends with the sweep
		os.Exit(orphaned)
	}()
	return nil
}

// orphaned is the exit code of a worker whose sweep has ended; nobody sees it.
const orphaned = 1

// probeAgain is how long a worker waits before it tries to connect once more.
const probeAgain = time.Second

// Work plays jobs of the sweep until that has none left, or ctx ends.
func Work(ctx context.Context, c WorkConfig) error {
	identity, err := remote.ReadIdentity(c.Identity, remote.Worker, time.Now())
	if err != nil {
		return err
	}
	join := job.Join{ID: c.ID, Label: label()}
	if join.ID == "" {
		join.ID = rand.Text()
	}
	if join.Build, err = build(); err != nil {
		return err
	}
	host, err := reach(ctx, identity, c)
	if err != nil {
		return err
	}
	listen := c.Listen
	if listen == "" {
		listen = net.JoinHostPort(host, "0")
	}
	system := supervise.NewSystem(zerolog.Nop())
	tree := supervise.New(supervise.Config{System: system, Clock: real.Clock{}, Chance: real.Chance{}, Sinks: c.Sinks})
	r, err := remote.Start(system, remote.Config{Listen: listen, Identity: identity, Open: func(path string) bool { return path == worker.Name }})
	if err != nil {
		return err
	}
	defer r.Close()
	ended := make(chan error, 1)
	config := worker.Config{
		Clock: real.Clock{}, Sweep: actor.NewPID(c.Sweep, sweep.Name), Join: join, Patience: c.Patience,
		Understand: understand, Player: tree.Props("player", player.New, supervise.Blocking()),
		Notify: func(err error) { ended <- err },
	}
	props := tree.Props("worker", func() actor.Actor { return worker.New(config) }, supervise.WithStrategy(worker.Strategy))
	pid, err := tree.Spawn(worker.Name, props, worker.Strategy)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
		defer cancel()
		_ = tree.Shutdown(ctx, pid) // a player that plays ends with the process
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		system.Root.Send(pid, &worker.Leave{})
		if err = <-ended; err == nil || errors.Is(err, worker.ErrLeft) {
			err = ctx.Err()
		}
	}
	return err
}

// reach waits until the sweep can be connected to.
func reach(ctx context.Context, identity *remote.Identity, c WorkConfig) (host string, err error) {
	for begun := time.Now(); ; {
		host, err = identity.Probe(ctx, c.Sweep)
		if err == nil || errors.Is(err, remote.ErrStranger) {
			return host, err
		}
		if time.Since(begun) > c.Patience {
			return "", fmt.Errorf("%w within %v: %w", worker.ErrNoSweep, c.Patience, err)
		}
		select {
		case <-time.After(probeAgain):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// label names this process for people.
func label() string {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return net.JoinHostPort(host, strconv.Itoa(os.Getpid()))
}

// understand reads an experiment.
func understand(text string) (digest string, play player.Play, err error) {
	e := new(experiment.Experiment)
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return "", nil, err
	}
	return string(e.Digest()), func(j job.Job) (job.Outcome, error) {
		var one experiment.Job
		if err := json.Unmarshal([]byte(j), &one); err != nil {
			return "", err
		}
		o, err := e.Play(context.Background(), one)
		if err != nil {
			return "", err
		}
		outcome, err := json.Marshal(o)
		return job.Outcome(outcome), err
	}, nil
}
