package sweepd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// FromParent stands in place of the folder of certificates: a worker reads from
// its standard input who it is. The sweep that has started it keeps the pipe
// open for as long as it runs, so that no worker outlives it.
const FromParent = "-"

// birth is what a worker of a sweep reads: one line of JSON.
type birth struct {
	ID       string `json:"id"`
	Identity []byte `json:"identity"` // as of remote.ReadIdentity
}

// maxBirth is how many bytes a birth may have.
const maxBirth = 64 << 10

// keptWords is how many bytes of what a worker says on stderr are kept, to tell
// why it has ended.
const keptWords = 2048

// process is a worker of ours.
type process struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stop    sync.Once
}

// startProcess starts this program as a worker of the sweep at address. It
// calls ended when the process has ended.
func startProcess(address string, b birth, ended func(error)) (*process, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	words := &tail{}
	p := &process{command: &exec.Cmd{
		Path: path, Args: []string{os.Args[0], "lab", "worker", address, "--tls-dir", FromParent},
		Stderr: words, SysProcAttr: ownGroup(),
	}}
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	line, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		_, _ = p.stdin.Write(append(line, '\n')) // a process that has ended says so itself
		ended(words.why(p.command.Wait()))
	}()
	return p, nil
}

// kill ends the process.
func (p *process) kill() {
	p.stop.Do(func() {
		p.stdin.Close()
		_ = p.command.Process.Kill() // it has ended already, perhaps
	})
}

// tail keeps the last bytes that were written.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	t.kept = t.kept[max(0, len(t.kept)-keptWords):]
	return len(p), nil
}

// why adds the last line to the error of the process.
func (t *tail) why(err error) error {
	lines := strings.Split(string(bytes.TrimSpace(t.kept)), "\n")
	last := strings.ToValidUTF8(lines[len(lines)-1], "")
	switch {
	case err == nil || last == "":
		return err
	}
	return fmt.Errorf("%w: %s", err, last)
}
