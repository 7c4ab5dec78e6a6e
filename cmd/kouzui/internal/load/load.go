// Package load reads the torrents that a command is given.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"kouzui"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// fetchTimeout is how long a server may take to send a .torrent.
const fetchTimeout = 60 * time.Second

// One reads a .torrent from a path, an http or https URL, or stdin for "-". A
// URL is fetched from source; nil: the system decides.
func One(ctx context.Context, source *real.Source, from string, stdin io.Reader) (*metainfo.Torrent, error) {
	raw, err := read(ctx, source, from, stdin)
	if err != nil {
		return nil, err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(from), err)
	}
	return t, nil
}

// All reads several. A torrent that is given twice is loaded once. The error
// tells of each one that cannot be read.
func All(ctx context.Context, source *real.Source, from []string, stdin io.Reader, warn func(string)) ([]*metainfo.Torrent, error) {
	var list []*metainfo.Torrent
	var failed []error
	seen := map[metainfo.Hash]bool{}
	for _, f := range from {
		t, err := One(ctx, source, f, stdin)
		if errors.Is(err, exit.ErrInterrupted) || errors.Is(err, exit.ErrTimeout) {
			return nil, err
		}
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if seen[t.InfoHash] {
			warn(fmt.Sprintf("%s: this torrent is given twice", shown(f)))
			continue
		}
		seen[t.InfoHash] = true
		for _, w := range slices.Concat(t.Warnings, t.Unsupported) {
			warn(fmt.Sprintf("%s: %s", shown(f), w))
		}
		list = append(list, t)
	}
	return list, exit.Several(failed, len(from), "torrents cannot be read")
}

func read(ctx context.Context, source *real.Source, from string, stdin io.Reader) ([]byte, error) {
	switch {
	case from == "-":
		raw, err := Within(ctx, func() ([]byte, error) { return limited(stdin) })
		return raw, exit.With(exit.IO, err)
	case isURL(from):
		fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		raw, err := real.NewHTTP(real.HTTPOptions{Version: kouzui.Version, Source: source}).FetchTorrent(fetching, from)
		if err != nil && ctx.Err() != nil {
			return nil, Why(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(from), err)
		}
		return raw, nil
	case magnet.Is(from):
		if _, err := magnet.Parse(from); err != nil {
			return nil, err
		}
		return nil, exit.Usagef("Download the .torrent file and give its path.", "magnet links are not supported")
	}
	return Within(ctx, func() ([]byte, error) {
		f, err := os.Open(from)
		if _, notHash := metainfo.ParseHash(from); notHash == nil && errors.Is(err, fs.ErrNotExist) {
			return nil, exit.Hint("Write it as a link: magnet:?xt=urn:btih:"+from, exit.Errorf(exit.BadMagnet, "%s is an info hash alone, neither a file nor a link", from))
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(f)
	})
}

// Within calls read, which may block: on a terminal, on a pipe that nobody
// writes to, on a file that is large once it is unpacked. When ctx ends first,
// read is abandoned, and the error says why.
func Within[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, Why(ctx)
	}
}

// Why says why ctx has ended: of its own cause, or by an interrupt.
func Why(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return exit.ErrInterrupted
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// shown is where a .torrent comes from, without the parts of a URL that may
// hold a user's key: messages end in logs.
func shown(from string) string {
	u, err := url.Parse(from)
	if !isURL(from) || err != nil {
		return from
	}
	u.User, u.Fragment = nil, ""
	if u.RawQuery != "" {
		u.RawQuery = "***"
	}
	return u.String()
}

// limited reads one byte more than metainfo.Parse takes, so that Parse refuses
// what is too large.
func limited(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, metainfo.MaxTorrent+1))
}
