package processes

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"kouzui/cmd/kouzui/internal/lastwords"
)

// process is a kouzui that was started, in a group of its own: interrupts of a
// terminal reach this program only, which ends its processes. The kernel kills
// them with this program, whatever ends that.
type process struct {
	command *exec.Cmd
	words   lastwords.Words // on stderr
	ended   chan struct{}   // closed when it is reaped
	err     error           // why it ended, once it has
	stop    sync.Once
}

// starter starts processes of this program.
type starter struct {
	program string
	home    string
	place
}

// start starts a process, and calls line with each line of its stdout, and then
// over, from another goroutine.
func (s starter) start(args []string, line func(string), over func()) (*process, error) {
	if err := os.MkdirAll(s.home, 0o700); err != nil {
		return nil, err
	}
	p := &process{ended: make(chan struct{})}
	p.command = &exec.Cmd{Path: s.program, Args: slices.Concat([]string{os.Args[0]}, args), Dir: s.home, Env: environment(s.home), Stderr: &p.words, SysProcAttr: attributes()}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.place.start(p.command); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewReader(out); ; {
			text, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			line(text)
		}
		_, _ = io.Copy(io.Discard, out) // after an error of reading, too: Wait closes the pipe
		p.err = p.words.Why(p.command.Wait())
		close(p.ended)
		over()
	}()
	return p, nil
}

// environment is ours, without what would set flags of a process, and with
// another home.
func environment(home string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		v = strings.ToLower(v)
		return strings.HasPrefix(v, "kouzui_") || strings.HasPrefix(v, "home=") || strings.Contains(v, "_proxy=")
	})
	return append(env, "HOME="+home)
}

// end asks the process to end, if it has not yet. A program in the background
// of a script ignores SIGINT, and so do those that it starts.
func (p *process) end() { _ = p.command.Process.Signal(syscall.SIGTERM) }

// kill ends the process at once.
func (p *process) kill() { p.stop.Do(func() { _ = p.command.Process.Kill() }) }

// exitCode is that of a process that has ended; -1 if it was killed.
func (p *process) exitCode() int { return p.command.ProcessState.ExitCode() }

// busy is how long a process that has ended kept processors busy.
func (p *process) busy() time.Duration {
	return p.command.ProcessState.UserTime() + p.command.ProcessState.SystemTime()
}

// awaitAll returns when all processes have ended. Those that have not within
// the time are killed.
func awaitAll(all []*process, within time.Duration) {
	late := time.NewTimer(within)
	defer late.Stop()
	for _, p := range all {
		select {
		case <-p.ended:
			continue
		case <-late.C:
		}
		for _, p := range all {
			p.kill()
		}
		late.Reset(0)
		<-p.ended
	}
}

// errNoURL is the error of a tracker that ends before it listens.
var errNoURL = errors.New("the tracker has ended before it listened")

// startTracker starts a tracker, at a port of its place, and returns its
// announce URL.
func (s starter) startTracker(listen string, interval time.Duration) (*process, string, error) {
	urls := make(chan string, 1)
	said := func(text string) {
		select {
		case urls <- strings.TrimSpace(text):
		default: // it has said its URL
		}
	}
	p, err := s.start([]string{"tracker", "--listen", listen, "--interval", interval.String(), "--progress", "none", "--quiet"}, said, func() {})
	if err != nil {
		return nil, "", err
	}
	select {
	case url := <-urls:
		return p, url, nil
	case <-p.ended:
		return nil, "", errors.Join(errNoURL, p.err)
	}
}

// nodeFolders are those of a node below the folder of the swarm.
func nodeFolders(root, name string) (home, data string) {
	home = filepath.Join(root, name)
	return home, filepath.Join(home, "data")
}
