package transfer

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"unicode/utf16"

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
	shell := shell(runtime.GOOS, command)
	if h.results == nil {
		h.results = make(chan error)
	}
	c := exec.Command(shell[0], shell[1:]...)
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

// shell is how a command is run on a system. The values of its environment come
// from strangers: a shell may put them in only after it has parsed the command.
// cmd.exe does so before, and would run what stands behind an & in a name.
// Therefore the shell of Windows is PowerShell here. The command is encoded, so
// that no quoting of arguments changes it.
func shell(system, command string) []string {
	if system != "windows" {
		return []string{"sh", "-c", command}
	}
	var raw []byte
	for _, unit := range utf16.Encode([]rune(command)) {
		raw = binary.LittleEndian.AppendUint16(raw, unit)
	}
	return []string{"powershell.exe", "-NoProfile", "-NonInteractive", "-EncodedCommand", base64.StdEncoding.EncodeToString(raw)}
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
