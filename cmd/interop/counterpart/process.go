//go:build linux

package counterpart

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a client or a tracker at work.
type Process struct {
	Name string
	Addr string // where peers reach it

	cmd      *exec.Cmd
	log      string
	exited   chan struct{}               // closed when it is reaped
	complete func(context.Context) error // see Complete
	stop     sync.Once
}

// launch starts a program in a process group of its own. All its output goes to
// the file "log" in home, and its stdout also goes to line, line by line,
// unless line is nil. Its environment is ours, with another HOME, and without
// the DHT of Kouzui, unless a flag says otherwise.
func launch(ctx context.Context, home string, line func(string), program string, args ...string) (*Process, error) {
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "XDG_STATE_HOME="+home, "TERM=dumb",
		"LC_ALL=C.UTF-8", "no_proxy=*", "http_proxy=", "all_proxy=", "KOUZUI_DHT=off")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Stdout, cmd.Stderr = log, log
	var read sync.WaitGroup
	if line != nil {
		cmd.Stdout = nil
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		read.Go(func() {
			for lines := bufio.NewScanner(io.TeeReader(out, log)); lines.Scan(); {
				line(lines.Text())
			}
		})
	}
	if err := cmd.Start(); err != nil {
		log.Close()
		return nil, err
	}
	p := &Process{cmd: cmd, log: log.Name(), exited: make(chan struct{})}
	go func() {
		read.Wait() // Wait closes the pipe
		_ = cmd.Wait()
		log.Close()
		close(p.exited)
	}()
	return p, nil
}

// Complete returns when the process says that it has all of the content,
// verified. It fails if the process or ctx ends before.
func (p *Process) Complete(ctx context.Context) error {
	return p.explain(p.complete(ctx))
}

// Pid is its number in the system.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Success says whether the process ended by itself with exit code 0.
func (p *Process) Success() bool { return p.ExitCode() == 0 }

// ExitCode is -1 while the process runs, and if it was killed.
func (p *Process) ExitCode() int {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Stop kills the process and its children, and waits for it.
func (p *Process) Stop() {
	p.stop.Do(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
	})
}

// End asks the process to end, and stops it if it has not ended in time.
func (p *Process) End(within time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.exited:
	case <-time.After(within):
	}
	p.Stop()
}

// Goroutines counts the goroutines of a process written in Go. It ends the
// process with SIGQUIT, which makes it print the stacks of its goroutines to
// the log.
func (p *Process) Goroutines() (n int, err error) {
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return 0, err
	}
	<-p.exited
	log, err := os.ReadFile(p.log)
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(log) {
		if bytes.HasPrefix(line, []byte("goroutine ")) && bytes.HasSuffix(line, []byte("]:\n")) {
			n++
		}
	}
	return n, nil
}

// LogTail is the end of what the process printed.
func (p *Process) LogTail() string {
	const most = 4 << 10
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

func (p *Process) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w\n--- the end of its log\n%s", p.Name, err, strings.TrimRight(p.LogTail(), "\n"))
}

var errExited = errors.New("the process ended too early")

// wait returns when signal is closed.
func (p *Process) wait(ctx context.Context, signal <-chan struct{}) error {
	select {
	case <-signal:
		return nil
	case <-p.exited:
		select {
		case <-signal: // its last line may have been the signal
			return nil
		default:
			return errExited
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Process) poll(ctx context.Context, ask func(context.Context) (bool, error)) error {
	return poll(ctx, p.exited, ask)
}

// poll asks until the answer is yes, and for the last time when the process has
// ended. An error counts as no, because a program that is starting refuses
// connections. For a program that never answers, ctx is the end.
func poll(ctx context.Context, exited <-chan struct{}, ask func(context.Context) (bool, error)) error {
	const interval = 50 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var last error
	for ended := false; ; {
		yes, err := ask(ctx)
		if yes {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		if ended {
			return errors.Join(errExited, last)
		}
		select {
		case <-tick.C:
		case <-exited:
			ended = true
		case <-ctx.Done():
			return errors.Join(ctx.Err(), last)
		}
	}
}

// started ends the start of a client: it returns the process, or stops the
// process and returns the reason.
func (p *Process) started(name string, err error) (*Process, error) {
	if err != nil {
		p.Stop()
		p.Name = name
		return nil, p.explain(err)
	}
	return p, nil
}
