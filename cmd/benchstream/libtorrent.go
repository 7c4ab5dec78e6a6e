//go:build linux

package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed watch.py
var watchScript []byte

// watchLibtorrent has a script watch, which says what it has seen.
func watchLibtorrent(ctx context.Context, f *film, home string) (s seen, err error) {
	h := f.viewer()
	script := filepath.Join(home, "watch.py")
	if err := os.WriteFile(script, watchScript, 0o600); err != nil {
		return s, err
	}
	args := append(h.Within[1:len(h.Within):len(h.Within)], "/usr/bin/python3", script, f.content.Torrent, home, h.Addr.String(),
		strconv.Itoa(bitRate), strconv.FormatFloat(watch.Seconds(), 'f', -1, 64), strconv.Itoa(jumpTo))
	c := exec.CommandContext(ctx, h.Within[0], append(args, f.peers...)...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return s, err
	}
	began := time.Now()
	if err := c.Start(); err != nil {
		return s, err
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	said := bufio.NewScanner(out)
	if _, err := lines(said); err != nil {
		return s, err
	}
	s.first = time.Since(began)
	played, err := lines(said)
	if err != nil {
		return s, err
	}
	var stalled, jump float64
	if _, err := fmt.Sscanf(played, "played %d %f", &s.stalls, &stalled); err != nil {
		return s, err
	}
	jumped, err := lines(said)
	if err != nil {
		return s, err
	}
	if _, err := fmt.Sscanf(jumped, "jumped %f", &jump); err != nil {
		return s, err
	}
	s.stalled, s.jump = seconds(stalled), seconds(jump)
	return s, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
