package transfer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"kouzui/cmd/kouzui/internal/interrupt"
	"kouzui/wire/metainfo"
)

// hooks are the commands of --on-complete that run.
type hooks struct {
	running int
	results chan error
}

// start runs the command in the shell. Its output goes to stderr, because
// stdout is for our results.
func (h *hooks) start(command string, j *job, stderr io.Writer) {
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	if h.results == nil {
		h.results = make(chan error)
	}
	c := exec.Command(shell[0], shell[1], command)
	c.Stdout, c.Stderr = stderr, stderr
	c.Env = append(os.Environ(), hookEnvironment(j)...)
	h.running++
	go func() {
		err := c.Run()
		if err != nil {
			err = fmt.Errorf("the --on-complete command for %s failed: %w", metainfo.Clean(j.torrent.Name, 200), err)
		}
		h.results <- err
	}()
}

func hookEnvironment(j *job) []string {
	absolute := func(path string) string {
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
		return path
	}
	return []string{
		"KOUZUI_TORRENT_NAME=" + j.torrent.Name,
		"KOUZUI_TORRENT_HASH=" + j.torrent.InfoHash.String(),
		"KOUZUI_TORRENT_DIR=" + absolute(j.options.Dir),
		"KOUZUI_TORRENT_PATH=" + absolute(j.path()),
	}
}

// wait returns when all commands have ended, or at an interrupt.
func (h *hooks) wait(stop *interrupt.Signals, warn func(string)) {
	for ; h.running > 0; h.running-- {
		select {
		case err := <-h.results:
			if err != nil {
				warn(err.Error())
			}
		case <-stop.First:
			return
		}
	}
}
