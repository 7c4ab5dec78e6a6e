package torrents

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"kouzui"
	"kouzui/actors/world"
	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/cmd/kouzui/internal/report"
	"kouzui/wire/announce"
	"kouzui/wire/metainfo"
)

const (
	// scrapeTimeout is how long one tracker may take to answer.
	scrapeTimeout = 15 * time.Second
	// scrapesAtOnce is how many trackers are asked at a time: a torrent may name
	// hundreds.
	scrapesAtOnce = 16
)

// scrapeLine is what one tracker counts.
type scrapeLine struct {
	Schema    string `json:"schema"`
	Type      string `json:"type"`
	Hash      string `json:"info_hash"`
	URL       string `json:"url"`
	Seeders   *int   `json:"seeders,omitempty"`
	Leechers  *int   `json:"leechers,omitempty"`
	Completed *int   `json:"completed,omitempty"`
	Failure   string `json:"failure,omitempty"`
}

// tellScrapes asks the trackers of the torrent and those of --tracker, and
// writes what they count.
func (o *infoFlags) tellScrapes(ctx context.Context, c *cobra.Command, source *real.Source, t *metainfo.Torrent) error {
	given, err := flags.AskedTiers(o.trackers)
	if err != nil {
		return err
	}
	origins := map[string]world.Origin{}
	var urls []string
	add := func(tiers [][]string, from world.Origin) {
		for _, url := range slices.Concat(tiers...) {
			if _, known := origins[url]; !known {
				urls, origins[url] = append(urls, url), from
			}
		}
	}
	add(given, world.FromUser) // first: what the user gave may lead anywhere
	add(metainfo.Supported(t.Announce), world.FromTorrent)
	if len(urls) == 0 {
		return exit.Hint("Name one with --tracker.", exit.Errorf(exit.Network, "the torrent has no tracker that can be asked"))
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, exit.ErrTimeout)
		defer cancel()
	}
	scraper := real.Scraper{HTTP: real.NewHTTP(real.HTTPOptions{Version: kouzui.Version, Source: source, AllowPrivate: o.allowPrivate}), Source: source}
	stats, errs := make([]announce.Stats, len(urls)), make([]error, len(urls))
	var group errgroup.Group
	group.SetLimit(scrapesAtOnce)
	for i, url := range urls {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
			defer cancel()
			stats[i], errs[i] = scraper.Scrape(ctx, url, origins[url], t.InfoHash)
			return nil
		})
	}
	_ = group.Wait() // errs has them
	for i, url := range urls {
		if errors.Is(errs[i], context.Canceled) {
			continue // an interrupt came before its answer
		}
		if err := o.tellScrape(c, t, url, stats[i], errs[i]); err != nil {
			return err
		}
	}
	failed := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return load.Why(ctx)
	case len(failed) < len(urls):
		return nil
	case ctx.Err() != nil:
		return load.Why(ctx)
	}
	return exit.With(exit.Network, fmt.Errorf("no tracker has answered: %w", failed[0]))
}

func (o *infoFlags) tellScrape(c *cobra.Command, t *metainfo.Torrent, url string, s announce.Stats, failed error) error {
	if o.json {
		line := scrapeLine{Schema: "kouzui-scrape-1", Type: "scrape", Hash: t.InfoHash.String(), URL: url}
		if failed != nil {
			line.Failure = exit.OneLine(failed)
		} else {
			line.Seeders, line.Leechers, line.Completed = counted(s.Seeders), counted(s.Leechers), counted(s.Completed)
		}
		return report.Write(c.OutOrStdout(), line)
	}
	const longest = 4096 // bytes of a URL
	text := fmt.Sprintf("seeders %s  leechers %s  completed %s", countText(s.Seeders), countText(s.Leechers), countText(s.Completed))
	if failed != nil {
		text = exit.OneLine(failed)
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s  %s\n", metainfo.Clean(url, longest), text)
	return err
}

// counted is a count of a tracker, nil if the tracker does not give it.
func counted(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

func countText(n int) string {
	if n < 0 {
		return "?"
	}
	return strconv.Itoa(n)
}
