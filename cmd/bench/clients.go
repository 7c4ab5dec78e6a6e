//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"

	"kouzui/cmd/internal/tool"
	"kouzui/cmd/interop/counterpart"
)

// participant is a client that is measured, or the partner of those that are.
type participant struct {
	counterpart.Client
	kind    string // its name; of several builds of Kouzui, what they all are
	version string
}

func (p participant) ours() bool { return strings.HasPrefix(p.kind, "kouzui") }

// participants are the clients of these names, or all if there are no names.
// Builds are paths of a kouzui, each with flags after it. A client that cannot
// be run is left out with a warning.
func participants(names, builds string) ([]participant, error) {
	all, err := kouzuis(builds)
	if err != nil {
		return nil, err
	}
	for _, c := range counterpart.Clients {
		all = append(all, participant{Client: c, kind: c.Name})
	}
	if all, err = tool.Choose("client", all, names, func(p participant) string { return p.kind }); err != nil {
		return nil, err
	}
	var there []participant
	for _, p := range all {
		if p.version, err = p.Version(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: left out:", err)
			continue
		}
		there = append(there, p)
	}
	return there, nil
}

// kouzuis are the builds, each without and with a trace. If there are several,
// each has its path and flags in its name.
func kouzuis(builds string) (all []participant, err error) {
	list, err := counterpart.Builds(builds)
	if err != nil {
		return nil, err
	}
	for _, b := range list {
		for _, client := range []func(string, ...string) counterpart.Client{counterpart.Kouzui, counterpart.TracedKouzui} {
			c := client(b.Path, b.Flags...)
			p := participant{Client: c, kind: c.Name}
			if len(list) > 1 || b.Named {
				p.Name = strings.Replace(p.kind, "kouzui", b.Name, 1)
			}
			all = append(all, p)
		}
	}
	return all, nil
}
