package lab

import (
	"fmt"

	"kouzui/actors/runtime/work"
	"kouzui/actors/world/sim"
)

// Load reads the files of costs and of arrivals that the scenario names, and
// keeps in their place what stands there: then the scenario is whole without
// files.
func (s *Scenario) Load(read func(file string) (string, error)) error {
	if err := s.loadCosts(read); err != nil {
		return err
	}
	return s.loadArrivals(read)
}

func (s *Scenario) loadCosts(read func(file string) (string, error)) error {
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

// cores returns the processors of a node of the class; nil: it needs none.
func (r *run) cores(c *Class) *sim.Cores {
	if c.Cores == 0 || r.machines[c.Machine] != nil {
		return r.machines[c.Machine]
	}
	cores := r.sim.NewCores(c.Cores)
	if c.Machine != "" {
		r.machines[c.Machine] = cores
	}
	return cores
}

// checkMachines checks that classes agree about the machines that they share.
func (s *Scenario) checkMachines() *problem {
	cores := map[string]int{}
	for i := range s.Class {
		c := &s.Class[i]
		if c.Machine == "" {
			continue
		}
		if c.Cores == 0 {
			return wrong("machine", "needs cores").in("class", i)
		}
		if n, known := cores[c.Machine]; known && n != c.Cores {
			return wrong("cores", "are %d, and %d in another class on the machine %q", c.Cores, n, c.Machine).in("class", i)
		}
		cores[c.Machine] = c.Cores
	}
	return nil
}
