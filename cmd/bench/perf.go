//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sampled is how many samples are taken in a second of processor time. The
// number is prime, so that samples do not keep step with anything that happens
// at regular times.
const sampled = 4999

// recording is a running perf that takes samples of a process, in user space
// and in the kernel.
type recording struct {
	cmd     *exec.Cmd
	file    string
	said    bytes.Buffer
	control io.WriteCloser // commands to it
	answers *bufio.Reader
}

// record begins to sample all threads of a process, now and later, into a file
// in home. When record returns, sampling has begun.
func record(ctx context.Context, pid int, home string) (*recording, error) {
	commands, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer commands.Close()
	replies, answer, err := os.Pipe()
	if err != nil {
		control.Close()
		return nil, err
	}
	defer answer.Close()
	r := &recording{file: filepath.Join(home, "perf.data"), control: control, answers: bufio.NewReader(replies)}
	r.cmd = exec.CommandContext(ctx, "perf", "record", "--quiet", "--output", r.file, "--pid", strconv.Itoa(pid),
		"--event", "cpu-clock", "--freq", strconv.Itoa(sampled), "--call-graph", "fp", "--delay", "-1", "--control", "fd:3,4")
	r.cmd.ExtraFiles = []*os.File{commands, answer} // 3 and 4
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	if err := r.cmd.Start(); err != nil {
		control.Close()
		return nil, err
	}
	answer.Close() // so that its end is seen
	if err := r.tell("enable"); err != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		return nil, fmt.Errorf("perf: %w: %s", err, bytes.TrimSpace(r.said.Bytes()))
	}
	return r, nil
}

// tell returns when the command has been carried out.
func (r *recording) tell(command string) error {
	if _, err := fmt.Fprintln(r.control, command); err != nil {
		return err
	}
	_, err := r.answers.ReadString('\n')
	return err
}

// stacks ends the recording and returns the stack of each sample, innermost
// function first.
func (r *recording) stacks(ctx context.Context) ([][]string, error) {
	_ = r.tell("stop") // it may end without an answer, and may have ended with the process
	r.control.Close()
	if err := r.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("perf record: %w: %s", err, bytes.TrimSpace(r.said.Bytes()))
	}
	out, err := exec.CommandContext(ctx, "perf", "script", "--input", r.file, "--fields", "ip,sym", "--no-inline").Output()
	if err != nil {
		return nil, fmt.Errorf("perf script: %w", err)
	}
	return parseStacks(string(out)), nil
}

// parseStacks reads what perf script writes: a line for each function, with its
// address before it, and an empty line behind each sample.
func parseStacks(text string) (all [][]string) {
	var stack []string
	for line := range strings.Lines(text + "\n") {
		_, function, ok := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case ok:
			stack = append(stack, strings.TrimSuffix(function, ".abi0"))
		case len(stack) > 0:
			all, stack = append(all, stack), nil
		}
	}
	return all
}
