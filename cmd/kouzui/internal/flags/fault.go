package flags

import (
	"errors"
	"fmt"
	"strings"

	"kouzui/actors/runtime/fault"
	"kouzui/messages"
)

// Faults are the values of --fault, which can be repeated.
type Faults []fault.Spec

func (f *Faults) String() string { return strings.Join(f.GetSlice(), " ") }

// Type implements pflag.Value.
func (f *Faults) Type() string { return "SPEC" }

// Set implements pflag.Value.
func (f *Faults) Set(text string) error { return f.Append(text) }

// Append, Replace and GetSlice make the flag one that can be repeated, also
// from the environment.
func (f *Faults) Append(text string) error {
	s, err := fault.Parse(text)
	var unknown *fault.UnknownMessage
	switch {
	case err == nil:
		*f = append(*f, s)
		return nil
	case errors.As(err, &unknown):
		err = fmt.Errorf("%w; similar names are %s", err, strings.Join(nearest(unknown.Name, messages.Names()), ", "))
	}
	return fmt.Errorf("cannot be used: %w", err)
}

// Replace implements pflag.SliceValue.
func (f *Faults) Replace(texts []string) error {
	*f = nil
	for _, text := range texts {
		if err := f.Append(text); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice implements pflag.SliceValue.
func (f *Faults) GetSlice() []string {
	texts := make([]string, len(*f))
	for i, s := range *f {
		texts[i] = s.String()
	}
	return texts
}
