//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// watchKouzui reads what `kouzui stream` serves at the bit rate of the film.
func watchKouzui(ctx context.Context, f *film, home string) (s seen, err error) {
	h := f.viewer()
	args := append(h.Within[1:len(h.Within):len(h.Within)], *program, "stream", f.content.Torrent, "-d", home, "--dht", "off",
		"--listen", h.Addr.String(), "--bind", h.Addr.String(), "--http", "127.0.0.1:8000", "-q")
	for _, p := range f.peers {
		args = append(args, "--peer", p)
	}
	c := exec.CommandContext(ctx, h.Within[0], args...)
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
	address, err := lines(bufio.NewScanner(out))
	if err != nil {
		return s, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: h.Dial}}
	film, err := get(ctx, client, address, 0)
	if err != nil {
		return s, err
	}
	defer film.Close()
	if s.first, err = firstByte(film, began); err != nil {
		return s, err
	}
	if s.stalled, s.stalls, err = play(film, *watch); err != nil {
		return s, err
	}
	film.Close()
	began = time.Now()
	rest, err := get(ctx, client, address, jumpTo)
	if err != nil {
		return s, err
	}
	defer rest.Close()
	s.jump, err = firstByte(rest, began)
	return s, err
}

func get(ctx context.Context, client *http.Client, address string, from int64) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(address), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusPartialContent {
		answer.Body.Close()
		return nil, fmt.Errorf("%s from %s", answer.Status, address)
	}
	return answer.Body, nil
}

func firstByte(r io.Reader, since time.Time) (time.Duration, error) {
	_, err := io.ReadFull(r, make([]byte, 1))
	return time.Since(since), err
}

// least is the shortest time that counts as standing still.
const least = 100 * time.Millisecond

// play reads at the bit rate for so long. When bytes come later than they are
// due, what follows is due later by as much.
func play(r io.Reader, length time.Duration) (stalled time.Duration, stalls int, err error) {
	const step = 50 * time.Millisecond
	part := make([]byte, int(bitRate*step.Seconds()))
	due := time.Now()
	for played := time.Duration(0); played < length; played += step {
		due = due.Add(step)
		if _, err := io.ReadFull(r, part); err != nil {
			return stalled, stalls, err
		}
		if late := time.Since(due); late > least {
			stalled += late
			stalls++
			due = due.Add(late)
		}
		time.Sleep(time.Until(due))
	}
	return stalled, stalls, nil
}
