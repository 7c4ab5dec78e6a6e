// Package tool is what the benchmark programs have in common on the command
// line.
package tool

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// NotPermitted is the exit code of a program that lacks the rights, or another
// program, to measure anything; sysexits.h calls it EX_NOPERM.
const NotPermitted = 77

// Failure is an error with an exit code. Without a text nothing is printed.
type Failure struct {
	Code int
	Text string
}

func (f Failure) Error() string { return f.Text }

// Main parses the flags and calls run, whose context ends with an interrupt. An
// error is printed after the name of the program. The exit code is 1 unless the
// error is a Failure.
func Main(name string, run func(context.Context) error) {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err == nil {
		return
	}
	failure := Failure{Code: 1}
	if failure.Text = err.Error(); !errors.As(err, &failure) || failure.Text != "" {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(failure.Code)
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
