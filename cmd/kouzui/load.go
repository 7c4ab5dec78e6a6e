package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"kouzui/actors"
	"kouzui/actors/world/real"
	"kouzui/wire/metainfo"
)

// fetchTimeout is how long a server may take to send a .torrent.
const fetchTimeout = 60 * time.Second

// load reads a .torrent: from a path, "-" for stdin, or an http or https URL.
func load(ctx context.Context, from string, stdin io.Reader) (*metainfo.Torrent, error) {
	raw, err := read(ctx, from, stdin)
	if err != nil {
		return nil, err
	}
	t, err := metainfo.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source(from), err)
	}
	return t, nil
}

func read(ctx context.Context, from string, stdin io.Reader) ([]byte, error) {
	switch {
	case from == "-":
		raw, err := limited(stdin)
		return raw, fail(exitIO, err)
	case isURL(from):
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		raw, err := real.NewHTTP(real.HTTPOptions{Version: actors.Version}).FetchTorrent(ctx, from)
		if errors.Is(err, context.Canceled) {
			return nil, errInterrupted
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source(from), err)
		}
		return raw, nil
	}
	if strings.HasPrefix(from, "magnet:") {
		return nil, usagef("Fetch the .torrent file and give its path.", "magnet links are not supported")
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(f)
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// source is where a .torrent comes from, without what can be a user's key: what
// is said of it may be kept in logs.
func source(from string) string {
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

// limited reads no more than Parse takes, and one byte for it to see that there
// is more.
func limited(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, metainfo.MaxTorrent+1))
}

// loadAll reads several, each torrent once.
func loadAll(ctx context.Context, from []string, stdin io.Reader, warn func(string)) ([]*metainfo.Torrent, error) {
	var list []*metainfo.Torrent
	seen := map[metainfo.Hash]bool{}
	for _, f := range from {
		t, err := load(ctx, f, stdin)
		if err != nil {
			return nil, err
		}
		if seen[t.InfoHash] {
			warn(fmt.Sprintf("%s: the same torrent is given twice", source(f)))
			continue
		}
		seen[t.InfoHash] = true
		for _, w := range t.Warnings {
			warn(fmt.Sprintf("%s: %s", source(f), w))
		}
		list = append(list, t)
	}
	return list, nil
}
