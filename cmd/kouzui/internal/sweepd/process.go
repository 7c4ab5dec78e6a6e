package sweepd

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"

	"kouzui/cmd/kouzui/internal/lastwords"
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
	words := &lastwords.Words{}
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
		ended(words.Why(p.command.Wait()))
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
