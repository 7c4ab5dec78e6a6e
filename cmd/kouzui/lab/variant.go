package lab

import (
	"maps"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui/actors/lab"
	"kouzui/actors/runtime/pattern"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
)

// variant is a scenario with what flags put in the place of what it says.
type variant struct {
	played
	quick, notes bool

	picker, choker, payload *string
	patterns                flags.Patterns
}

// bind adds the flags to those of c that are about the run.
func (v *variant) bind(c *cobra.Command, f *pflag.FlagSet) {
	v.played.bind(f)
	f.StringArrayVar(&v.set, "set", nil, "replace what the scenario says by `KEY=VALUE`, such as class.peer.up=1M; repeatable")
	v.picker = flags.PatternInPlaceOf(c, "picker", asWritten, "`NAME` of the piece picker of all nodes")
	v.choker = flags.PatternInPlaceOf(c, "choker", asWritten, "`NAME` of the choker of all nodes")
	flags.BindPatterns(c, &v.patterns, pattern.Simulated)
	v.payload = flags.Choose(c, "payload", "`KIND` of the payload: %s", asWritten, lab.PayloadDescribed, lab.PayloadReal)
}

// asWritten leaves the choice to the scenario.
const asWritten = "scenario"

// chosen are the patterns that flags have chosen.
func (v *variant) chosen(c *cobra.Command) (pattern.Choice, error) {
	chosen := pattern.Choice{}
	maps.Copy(chosen, v.patterns.Choice)
	for kind, spec := range map[string]string{"picker": *v.picker, "choker": *v.choker} {
		if err := v.patterns.Exclude(c, kind); err != nil {
			return nil, err
		}
		if spec != asWritten {
			chosen[kind] = spec
		}
	}
	return chosen, nil
}

// scenario reads the scenario. Its name is the argument that plays it again.
func (v *variant) scenario(c *cobra.Command, args []string) (*lab.Scenario, string, error) {
	s, name, err := v.played.scenario(args)
	if err != nil {
		return nil, "", err
	}
	chosen, err := v.chosen(c)
	if err != nil {
		return nil, "", err
	}
	s.Choose(chosen)
	if err := s.Load(readScenario); err != nil { // what was chosen here
		return nil, "", exit.Errorf(exit.Usage, "%s: %w", name, err)
	}
	if *v.payload != asWritten {
		s.Payload = *v.payload
	}
	return s, name, nil
}
