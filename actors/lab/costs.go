package lab

import (
	"fmt"

	"kouzui/actors/runtime/work"
)

// Load reads the file of costs that the scenario names, if any, and keeps the
// costs in its place: then the scenario is whole without the file.
func (s *Scenario) Load(read func(file string) (string, error)) error {
	if s.Costs == "" {
		return nil
	}
	text, err := read(s.Costs)
	if err != nil {
		return err
	}
	table, err := work.ReadTable(text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Costs, err)
	}
	s.Costs, s.Cost = "", table.Cost
	return nil
}

func (s *Scenario) costs() ([]work.Cost, error) {
	switch {
	case s.Costs != "":
		return nil, wrong("costs", "names the file %q, which was not read", s.Costs)
	case len(s.Cost) > 0:
		return s.Cost, nil
	}
	return work.Shipped().Cost, nil
}
