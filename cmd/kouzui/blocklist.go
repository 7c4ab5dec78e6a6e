package main

import (
	"fmt"
	"os"

	"kouzui/wire/blocklist"
)

// loadBlocklist reads the user's list; without one, there is none. That a list
// cannot be used is an error: who asks for it relies on it.
func loadBlocklist(path string, out *output) (*blocklist.List, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, report, err := blocklist.Read(f)
	if err != nil {
		return nil, usagef("", "--blocklist %s: %w", path, err)
	}
	if text := report.Warning(); text != "" {
		out.warn(fmt.Sprintf("%s: %s", path, text))
	}
	out.log.Info().Int("entries", report.Entries).Int("ranges", list.Len()).Msg("blocklist")
	return list, nil
}
