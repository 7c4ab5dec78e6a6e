//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"kouzui/cmd/interop/counterpart"
)

// participant is a client that is measured, or the partner of those that are.
type participant struct {
	counterpart.Client
	kind    string // its name; of several builds of Kouzui, what they all are
	version string
}

func (p participant) ours() bool { return strings.HasPrefix(p.kind, "kouzui") }

// participants are the clients of these names, all if there are none. Builds are
// paths of a kouzui, each with flags of its own after it. Who cannot be run is
// told of and left out.
func participants(names, builds string) ([]participant, error) {
	all, err := kouzuis(builds)
	if err != nil {
		return nil, err
	}
	for _, c := range counterpart.Clients {
		all = append(all, participant{Client: c, kind: c.Name})
	}
	wanted := strings.FieldsFunc(names, func(r rune) bool { return r == ',' })
	for _, name := range wanted {
		if !slices.ContainsFunc(all, func(p participant) bool { return p.kind == name }) {
			return nil, unknown("client", name, all, func(p participant) string { return p.kind })
		}
	}
	var there []participant
	for _, p := range all {
		if len(wanted) > 0 && !slices.Contains(wanted, p.kind) {
			continue
		}
		if p.version, err = p.Version(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: left out:", err)
			continue
		}
		there = append(there, p)
	}
	return there, nil
}

// kouzuis are the builds, each without and with a trace. Where there are several,
// their names tell them apart.
func kouzuis(builds string) (all []participant, err error) {
	list := strings.Split(builds, ",")
	for _, build := range list {
		words := strings.Fields(build)
		if len(words) == 0 {
			return nil, fmt.Errorf("-kouzui %q: a build without a path", builds)
		}
		path, err := exec.LookPath(words[0])
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return nil, err
		}
		flags := words[1:]
		for _, client := range []func(string, ...string) counterpart.Client{counterpart.Kouzui, counterpart.TracedKouzui} {
			c := client(path, flags...)
			p := participant{Client: c, kind: c.Name}
			if len(list) > 1 {
				p.Name = strings.Replace(p.kind, "kouzui", build, 1)
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// unknown is the error for a name that none of all has.
func unknown[T any](what, name string, all []T, nameOf func(T) string) error {
	var names []string
	for _, one := range all {
		if n := nameOf(one); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return fmt.Errorf("no %s %q; there are %s", what, name, strings.Join(names, ", "))
}
