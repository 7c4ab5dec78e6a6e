package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/fault"
	"kouzui/messages"
)

// faultFlag is --fault, which can be repeated. It is for experiments, and not in
// the help.
type faultFlag []fault.Spec

func (f *faultFlag) bind(c *cobra.Command) {
	c.Flags().Var(f, "fault", "break something on purpose: `SPEC` is a kind and then comma-separated keys (repeatable)")
	if err := c.Flags().MarkHidden("fault"); err != nil {
		panic(err) // only for a flag that does not exist
	}
}

func (f *faultFlag) String() string { return strings.Join(f.GetSlice(), " ") }
func (f *faultFlag) Type() string   { return "SPEC" }

func (f *faultFlag) Set(text string) error { return f.Append(text) }

// Append, Replace and GetSlice make the flag one that can be repeated, also from
// the environment.
func (f *faultFlag) Append(text string) error {
	s, err := fault.Parse(text)
	var unknown *fault.UnknownMessage
	switch {
	case err == nil:
		*f = append(*f, s)
	case errors.As(err, &unknown):
		return fmt.Errorf("%w; near are %s", err, strings.Join(nearest(unknown.Name, messages.Names()), ", "))
	}
	return err
}

func (f *faultFlag) Replace(texts []string) error {
	*f = nil
	for _, text := range texts {
		if err := f.Append(text); err != nil {
			return err
		}
	}
	return nil
}

func (f *faultFlag) GetSlice() []string {
	texts := make([]string, len(*f))
	for i, s := range *f {
		texts[i] = s.String()
	}
	return texts
}
