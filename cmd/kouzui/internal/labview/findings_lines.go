package labview

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"kouzui/actors/lab/experiment"
)

// FindingsSchema is the version of the lines of an experiment. Keys are added
// without a new one.
const FindingsSchema = "kouzui-experiment-1"

// findingsLine is what all lines have in common; docs/JSON.md describes them.
type findingsLine struct {
	Schema string `json:"schema"`
	Type   string `json:"type"` // "run", "group", "comparison", "experiment" or "claim"
}

type runLine struct {
	findingsLine
	Variant string              `json:"variant"`
	Seed    uint64              `json:"seed"`
	Run     experiment.Digest   `json:"run"`
	Values  map[string]*float64 `json:"values"`
	Failure string              `json:"failure,omitempty"`
	Command string              `json:"command"`
}

type groupedLine struct {
	findingsLine
	Variant string   `json:"variant"`
	Measure string   `json:"measure"`
	Unit    string   `json:"unit"`
	Runs    int      `json:"runs"`
	Mean    *float64 `json:"mean"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Least   *float64 `json:"least"`
	Median  *float64 `json:"median"`
	Most    *float64 `json:"most"`
}

type comparisonLine struct {
	findingsLine
	Variant     string   `json:"variant"`
	Control     string   `json:"control"`
	Measure     string   `json:"measure"`
	Unit        string   `json:"unit"`
	Pairs       int      `json:"pairs"`
	Difference  *float64 `json:"difference"`
	Low         *float64 `json:"low"`
	High        *float64 `json:"high"`
	Part        *float64 `json:"part"`
	Delta       *float64 `json:"cliffs_delta"`
	P           *float64 `json:"p"`
	Corrected   *float64 `json:"p_corrected"`
	Correlation *float64 `json:"correlation"`
	Detectable  *float64 `json:"detectable"`
	Seen        bool     `json:"seen"`
	Verdict     string   `json:"verdict"`
}

type experimentLine struct {
	findingsLine
	Name       string            `json:"name"`
	Experiment experiment.Digest `json:"experiment"`
	Scenario   string            `json:"scenario"`
	Variants   []variantLine     `json:"variants"`
	Measures   []string          `json:"measures"`
	First      uint64            `json:"first_seed"`
	Seeds      int               `json:"seeds"`
	Failed     int               `json:"failed_runs"`
	Precision  float64           `json:"precision_asked"`
	Width      *float64          `json:"precision"`
}

type variantLine struct {
	Name string            `json:"name"`
	Set  map[string]string `json:"set"`
}

// WriteFindings writes a JSON object on a line for each run, group and
// comparison, and for the experiment.
func WriteFindings(w io.Writer, f *experiment.Findings) error {
	out, e := json.NewEncoder(w), f.Experiment
	kind := func(name string) findingsLine { return findingsLine{FindingsSchema, name} }
	last := experimentLine{
		findingsLine: kind("experiment"), Name: e.Name, Experiment: e.Digest(), Scenario: e.Path, Measures: e.Measures, First: e.Rule.First,
		Seeds: len(f.Seeds), Failed: len(f.Failed()), Precision: e.Rule.Precision, Width: Number(f.Width()),
	}
	var lines []any
	for v, one := range e.Variants {
		last.Variants = append(last.Variants, variantLine{one.Name, one.Set})
		for _, o := range f.Outcomes[v] {
			run := runLine{kind("run"), one.Name, o.Job.Seed, o.Run, map[string]*float64{}, o.Failure, "kouzui lab simulate " + e.Again(v, o.Job.Seed)}
			for m, value := range o.Values {
				run.Values[e.Measures[m]] = Number(value)
			}
			lines = append(lines, run)
		}
	}
	for v, one := range e.Variants {
		for m, name := range e.Measures {
			lines = append(lines, groupedLineOf(kind("group"), one.Name, experiment.Of(name), f.Groups[v][m]))
		}
	}
	for v, comparisons := range f.Comparisons {
		for m, name := range e.Measures {
			line := comparisonLineOf(comparisons[m], experiment.Of(name))
			line.findingsLine, line.Variant, line.Control = kind("comparison"), e.Variants[v+1].Name, e.Variants[0].Name
			lines = append(lines, line)
		}
	}
	for _, line := range append(lines, last) {
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func groupedLineOf(kind findingsLine, variant string, m experiment.Measure, g experiment.Group) groupedLine {
	return groupedLine{
		kind, variant, m.Name, m.Unit, g.N, Number(g.Mean), Number(g.Interval.Low), Number(g.Interval.High),
		Number(g.Least), Number(g.Median), Number(g.Most),
	}
}

func comparisonLineOf(c experiment.Comparison, m experiment.Measure) comparisonLine {
	return comparisonLine{
		Measure: m.Name, Unit: m.Unit, Pairs: c.N, Difference: Number(c.Difference), Low: Number(c.Interval.Low), High: Number(c.Interval.High),
		Part: Number(c.Part), Delta: Number(c.Delta), P: Number(c.P), Corrected: Number(c.Corrected), Correlation: Number(c.Correlation),
		Detectable: Number(c.Detectable), Seen: c.Seen(), Verdict: Verdict(c, m.Unit),
	}
}

// Number is v for JSON, which has no word for what is not a number: null.
func Number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// WriteRuns writes a table of all runs as CSV, a row each.
func WriteRuns(w io.Writer, f *experiment.Findings) error {
	out := csv.NewWriter(w)
	head := append([]string{"variant", "seed", "run", "failure"}, f.Experiment.Measures...)
	rows := [][]string{head}
	for v, one := range f.Experiment.Variants {
		for _, o := range f.Outcomes[v] {
			row := []string{one.Name, strconv.FormatUint(o.Job.Seed, 10), string(o.Run), o.Failure}
			for _, value := range o.Values {
				cell := ""
				if !math.IsNaN(value) {
					cell = fmt.Sprint(value)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	return out.Error()
}
