// Package tool is what the benchmark programs have in common on the command
// line.
package tool

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Main parses the flags and calls run, whose context ends with an interrupt. An
// error is printed after the name of the program, and the exit code is 1.
func Main(name string, run func(context.Context) error) {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Choose returns those of all that names lists, with commas between them, in
// the order of names. Without names, all are chosen.
func Choose[T any](what string, all []T, names string, nameOf func(T) string) ([]T, error) {
	if names == "" {
		return all, nil
	}
	var chosen []T
	for name := range strings.SplitSeq(names, ",") {
		before := len(chosen)
		for _, one := range all {
			if nameOf(one) == name {
				chosen = append(chosen, one)
			}
		}
		if len(chosen) == before {
			return nil, unknown(what, name, all, nameOf)
		}
	}
	return chosen, nil
}

func unknown[T any](what, name string, all []T, nameOf func(T) string) error {
	var known []string
	for _, one := range all {
		if n := nameOf(one); !slices.Contains(known, n) {
			known = append(known, n)
		}
	}
	return fmt.Errorf("there is no %s %q; there are %s", what, name, strings.Join(known, ", "))
}
