// Package load reads the torrents that a command is given.
package load

import (
	"cmp"
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
	"kouzui/cmd/kouzui/internal/statedir"
	"kouzui/wire/magnet"
	"kouzui/wire/metainfo"
)

// fetchTimeout is how long a server may take to send a .torrent.
const fetchTimeout = 60 * time.Second

// longest is how many bytes of a link stand in an error.
const longest = 60

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

// Given is a torrent of the command line.
type Given struct {
	*metainfo.Torrent
	// Link is the magnet link that was given; nil: a .torrent.
	Link *magnet.Link
	// Unknown: what is in the torrent of the link is not known yet. Torrent says
	// what the link does.
	Unknown bool
}

// All reads several, magnet links among them. A torrent that is given twice is
// loaded once. The error tells of each one that cannot be read.
func All(ctx context.Context, source *real.Source, from []string, stdin io.Reader, warn func(string)) ([]Given, error) {
	var list []Given
	var failed []error
	seen := map[metainfo.Hash]bool{}
	for _, f := range from {
		t, err := given(ctx, source, f, stdin)
		if errors.Is(err, exit.ErrInterrupted) || errors.Is(err, exit.ErrTimeout) {
			return nil, err
		}
		if err != nil && len(from) > 1 && magnet.Is(f) { // of a .torrent the error says which one
			err = fmt.Errorf("%s: %w", metainfo.Clean(f, longest), err)
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
		warnings := slices.Concat(t.Warnings, t.Unsupported)
		if t.Link != nil {
			warnings = slices.Concat(t.Link.Warnings, warnings)
		}
		for _, w := range warnings {
			warn(fmt.Sprintf("%s: %s", shown(f), w))
		}
		list = append(list, t)
	}
	return list, exit.Several(failed, len(from), "torrents cannot be read")
}

func given(ctx context.Context, source *real.Source, from string, stdin io.Reader) (Given, error) {
	if magnet.Is(from) {
		return Magnet(from)
	}
	t, err := One(ctx, source, from, stdin)
	return Given{Torrent: t}, err
}

// Magnet reads a magnet link. What an earlier run has fetched of its torrent is
// not fetched again.
func Magnet(text string) (Given, error) {
	link, err := magnet.Parse(text)
	if err != nil {
		return Given{}, err
	}
	g := Given{Torrent: kept(link.InfoHash), Link: &link}
	if g.Torrent == nil {
		g.Unknown = true
		g.Torrent = &metainfo.Torrent{InfoHash: link.InfoHash, Name: link.Name}
		if link.Name == "" {
			g.Name = link.InfoHash.String()
		}
	}
	g.Announce, g.WebSeeds = link.Trackers, link.WebSeeds
	return g, nil
}

// kept is what Keep has kept of a torrent; nil: nothing, or something else.
func kept(hash metainfo.Hash) *metainfo.Torrent {
	path, err := keptAt(hash)
	if err != nil {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	raw, err := limited(f)
	if err != nil {
		return nil
	}
	t, err := metainfo.Parse(raw)
	if err != nil || t.InfoHash != hash {
		return nil
	}
	return t
}

// Keep keeps what peers have told of a torrent in the folder of the user's
// state, for the next run.
func Keep(t *metainfo.Torrent) error {
	raw, err := metainfo.EncodeInfo(t.Info(), t.Announce, t.WebSeeds)
	if err != nil {
		return err
	}
	path, err := keptAt(t.InfoHash)
	if err != nil {
		return err
	}
	return statedir.Write(path, raw)
}

func keptAt(hash metainfo.Hash) (string, error) {
	return statedir.Path("metadata", hash.String()+".torrent")
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
		return nil, exit.Usagef("`kouzui info MAGNET --save FILE` makes a .torrent of a link.", "this command takes a .torrent, not a magnet link")
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
	if link, err := magnet.Parse(from); err == nil {
		return cmp.Or(link.Name, link.InfoHash.String())
	}
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
