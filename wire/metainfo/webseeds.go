package metainfo

import (
	"fmt"
	"slices"
	"strings"

	"github.com/anacrolix/torrent/bencode"

	"kouzui/wire/metainfo/dict"
)

// WebSeedURL is what TrackerURL is to trackers: the URL of a web seed (BEP 19),
// over HTTP or HTTPS, in the form in which it can be asked and shown.
func WebSeedURL(s string) (string, error) { return serverURL(s, WebSeedSchemes()) }

// WebSeedSchemes returns the protocols of web seeds that there are.
func WebSeedSchemes() []string { return []string{"http", "https"} }

// webSeeds reads the url-list (BEP 19), which is a list or a single string; an
// empty string stands for none.
func (t *Torrent) webSeeds(outer dict.Dict) []string {
	list, isList := outer.List("url-list", maxTiers)
	if !isList {
		list = []bencode.Bytes{outer["url-list"]}
	}
	texts := make([]string, 0, len(list))
	for _, raw := range list {
		if text, _ := dict.Text(raw); strings.TrimSpace(text) != "" {
			texts = append(texts, text)
		}
	}
	return t.takeWebSeeds(texts)
}

// LinkWebSeeds is the web seeds of a magnet link. The warnings say which are
// left out, and why.
func LinkWebSeeds(urls []string) (seeds, warnings []string) {
	t := new(Torrent)
	return t.takeWebSeeds(urls), t.Warnings
}

// takeWebSeeds returns the URLs that can be asked, each once, and warns of the
// others. One host has no more of them than of trackers: what a stranger wrote
// must not have us attack the host.
func (t *Torrent) takeWebSeeds(texts []string) (seeds []string) {
	hosts := map[string]int{}
	for _, text := range texts {
		url, err := WebSeedURL(text)
		if err == nil && slices.Contains(seeds, url) {
			continue
		}
		if err == nil && len(seeds) == MaxWebSeeds {
			t.warn("Web seeds beyond the first %d are left out.", MaxWebSeeds)
			break
		}
		if err == nil {
			err = crowded(hosts, url)
		}
		if err != nil {
			t.warn("The web seed %s is left out: %s.", fmt.Sprintf("%q", MaskURL(Clean(text, maxURL))), err)
			continue
		}
		seeds = append(seeds, url)
	}
	return seeds
}
