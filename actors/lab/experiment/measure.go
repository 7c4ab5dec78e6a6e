package experiment

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kouzui/actors/lab"
)

// Measure is something that can be measured of a run. A name such as "median"
// is of the whole swarm; "median of giver" is of one class.
type Measure struct {
	Name, Unit, About string
	nodes             func(r *lab.Result, nodes lab.Nodes) float64 // of the swarm or of a class
	swarm             func(r *lab.Result) float64                  // or of the swarm only
}

// measures are all that can be measured.
var measures = []Measure{
	{Name: "median", Unit: "s", About: "from arrival to completion, of the downloaders that were complete", nodes: within(0.5)},
	{Name: "p95", Unit: "s", About: "within which 95 % of them were complete", nodes: within(0.95)},
	{Name: "last", Unit: "s", About: "of the slowest of them", nodes: within(1)},
	{Name: "mean", Unit: "s", About: "of them", nodes: func(_ *lab.Result, ns lab.Nodes) float64 {
		times := ns.Times()
		sum := time.Duration(0)
		for _, t := range times {
			sum += t
		}
		return ratio(sum.Seconds(), float64(len(times)))
	}},
	{Name: "complete", Unit: "%", About: "of the downloaders", nodes: func(_ *lab.Result, ns lab.Nodes) float64 {
		return 100 * ratio(float64(len(ns.Times())), float64(ns.Downloaders()))
	}},
	{Name: "redundant", Unit: "%", About: "payload that came twice, of the content, in the mean downloader", nodes: func(r *lab.Result, ns lab.Nodes) float64 {
		return 100 * ratio(float64(ns.Total().Duplicate), float64(r.Played.Content)*float64(ns.Downloaders()))
	}},
	{Name: "worst", Unit: "%", About: "the same of the node that received the most twice", nodes: func(r *lab.Result, ns lab.Nodes) float64 {
		most := 0.0
		for _, n := range ns {
			most = max(most, 100*float64(n.Duplicate)/float64(r.Played.Content))
		}
		return most
	}},
	{Name: "lost", Unit: "%", About: "payload that came and was lost, corrupt or in a crash, of the content, in the mean downloader", nodes: func(r *lab.Result, ns lab.Nodes) float64 {
		return 100 * ratio(float64(ns.Total().Lost), float64(r.Played.Content)*float64(ns.Downloaders()))
	}},
	{Name: "fairness", About: "Jain's index of what downloaders sent: 1 if all sent alike", nodes: func(_ *lab.Result, ns lab.Nodes) float64 { return ns.Fairness() }},
	{Name: "sent", Unit: "copies", About: "of the content, by the mean node", nodes: func(r *lab.Result, ns lab.Nodes) float64 {
		return float64(ns.Total().Uploaded) / float64(r.Played.Content) / float64(len(ns))
	}},
	{Name: "restarts", About: "of actors", nodes: func(_ *lab.Result, ns lab.Nodes) float64 { return float64(ns.Total().Restarts) }},
	{Name: "messages", About: "that actors handled", nodes: func(_ *lab.Result, ns lab.Nodes) float64 { return float64(ns.Total().Messages) }},
	{Name: "memory", Unit: "MiB", About: "of payload at once, in the node that had the most", nodes: func(_ *lab.Result, ns lab.Nodes) float64 { return float64(ns.Total().Peak) / (1 << 20) }},
	{Name: "utilisation", Unit: "%", About: "of what the uplinks could have sent until the last downloader was complete", nodes: func(r *lab.Result, ns lab.Nodes) float64 { return 100 * r.Utilisation(ns) }},
	{Name: "end", Unit: "s", About: "from the start until the last downloader was complete", swarm: func(r *lab.Result) float64 { return someTime(r.End) }},
	{Name: "bound", About: "end, as a multiple of the lower bound", swarm: func(r *lab.Result) float64 { return ratio(someTime(r.End), r.Bound().Seconds()) }},
	{Name: "copies", About: "of the content that the seeds had sent when downloaders had every piece", swarm: func(r *lab.Result) float64 {
		if r.Copies == 0 {
			return math.NaN()
		}
		return r.Copies
	}},
	{Name: "transient", Unit: "s", About: "until downloaders had every piece at least once", swarm: func(r *lab.Result) float64 {
		for _, s := range r.Samples {
			if s.Out == r.Pieces {
				return s.At.Seconds()
			}
		}
		return math.NaN()
	}},
	{Name: "entropy", Unit: "%", About: "of the pairs of downloaders, how many want something of each other, on average until the end", swarm: func(r *lab.Result) float64 {
		sum, n := 0.0, 0.0
		for _, s := range r.Samples {
			if s.At <= r.End && !math.IsNaN(s.Entropy) {
				sum, n = sum+s.Entropy, n+1
			}
		}
		return 100 * ratio(sum, n)
	}},
}

// within is the time within which this part was complete.
func within(part float64) func(*lab.Result, lab.Nodes) float64 {
	return func(_ *lab.Result, ns lab.Nodes) float64 { return someTime(lab.Quantile(ns.Times(), part)) }
}

func someTime(d time.Duration) float64 {
	if d == 0 {
		return math.NaN()
	}
	return d.Seconds()
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

// measured is a measure of one scenario, with the class it is of.
type measured struct {
	Measure
	class string // "": of the swarm
}

func (m measured) of(r *lab.Result) float64 {
	if m.swarm != nil {
		return m.swarm(r)
	}
	ns := r.Nodes
	if m.class != "" {
		ns = ns.OfClass(m.class)
	}
	return m.nodes(r, ns)
}

// measureOf finds the measure that a name means.
func measureOf(name string, s *lab.Scenario) (measured, error) {
	word, class, some := strings.Cut(name, " of ")
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Name == word })
	if i < 0 {
		var names []string
		for _, m := range measures {
			names = append(names, m.Name)
		}
		return measured{}, fmt.Errorf("there is no measure %q; there are %s", word, strings.Join(names, ", "))
	}
	m := measured{measures[i], class}
	if !some {
		return m, nil
	}
	if m.swarm != nil {
		return measured{}, fmt.Errorf("%s is of the whole swarm, and not of a class", word)
	}
	var names []string
	for _, c := range s.Class {
		if c.Name == class && len(c.Hostile) == 0 {
			return m, nil
		}
		names = append(names, c.Name)
	}
	return measured{}, fmt.Errorf("there is no class %q of clients; there are %s", class, strings.Join(names, ", "))
}
