package torrents

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/wire/metainfo"
)

// An interrupt ends a scrape, and nothing is said of trackers that have not
// answered by then.
func TestAnInterruptOfAScrapeIsNoFailureOfTheTracker(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	c := &cobra.Command{}
	c.SetOut(&out)
	o := infoFlags{trackers: []string{"udp://127.0.0.1:9/announce,http://127.0.0.1:9/announce"}}
	err := o.tellScrapes(ctx, c, nil, &metainfo.Torrent{})
	if !errors.Is(err, exit.ErrInterrupted) || out.Len() > 0 {
		t.Errorf("%v, and %q is written", err, out.String())
	}
}
