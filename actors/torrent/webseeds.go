package torrent

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"kouzui/messages"
)

// webSeeds are the web seeds of the torrent (BEP 19), by their index in it, as
// they told last. They outlive the engine, and so does that one was given up.
type webSeeds []messages.WebSeedChanged

// of is the entry of a web seed, which is made if there is none.
func (w *webSeeds) of(seed int) *messages.WebSeedChanged {
	for len(*w) <= seed {
		*w = append(*w, messages.WebSeedChanged{Seed: len(*w)})
	}
	return &(*w)[seed]
}

func (s *state) webSeedStarted(m *messages.WebSeedStarted) {
	if w := s.webSeeds.of(m.Seed); !w.GivenUp {
		*w = messages.WebSeedChanged{Seed: m.Seed}
		s.out.Send(m.ReplyTo, &messages.StartFetching{})
	}
}

func (s *state) webSeedChanged(m *messages.WebSeedChanged) {
	w := s.webSeeds.of(m.Seed)
	if w.GivenUp {
		return
	}
	if *w = *m; m.GivenUp {
		s.tellSession(&messages.TorrentWebSeedDropped{InfoHash: s.hash, Host: s.webSeedHost(m.Seed), Reason: m.Err.Error()})
	}
}

// webSeedHost is what is shown of a URL, which may hold a key.
func (s *state) webSeedHost(seed int) string {
	if s.torrent != nil && seed < len(s.torrent.WebSeeds) {
		if u, err := url.Parse(s.torrent.WebSeeds[seed]); err == nil {
			return u.Host
		}
	}
	return "?"
}

// withWebSeeds is where peers come from, web seeds among them: those that serve
// are connected, those that have failed silent.
func (s *state) withWebSeeds() []messages.SourceCount {
	count := messages.SourceCount{Kind: messages.SourceWebSeed}
	for _, w := range s.webSeeds {
		switch {
		case w.GivenUp:
			continue
		case w.Serving:
			count.Connected++
		case w.Err != nil:
			count.Silent++
		}
		count.Known++
	}
	if count.Known == 0 {
		return s.sources
	}
	return append(slices.Clone(s.sources), count)
}

// whyNoWebSeed says in a sentence why the web seeds do not serve; empty if
// there are none, or one may.
func (s *state) whyNoWebSeed() string {
	var said []string
	for _, w := range s.webSeeds {
		host := s.webSeedHost(w.Seed)
		switch {
		case w.Err == nil:
			return ""
		case w.GivenUp:
			said = append(said, fmt.Sprintf("the web seed %s is given up: %v", host, w.Err))
		default:
			wait := max(0, w.Until.Sub(s.now)).Round(time.Second)
			said = append(said, fmt.Sprintf("the web seed %s is asked again in %v: %v", host, wait, w.Err))
		}
	}
	const few = 2
	if len(said) == 0 {
		return ""
	}
	text := strings.Join(said[:min(len(said), few)], "; ")
	if more := len(said) - few; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
