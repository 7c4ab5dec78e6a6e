package labview

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/lab/stat"
	"kouzui/actors/runtime/units"
	"kouzui/cmd/kouzui/internal/paint"
)

// FindingsTable is what an experiment has found, for people: a table for each
// measure, in which variants are letters. Numbers of at most five characters
// fit into 80 columns.
type FindingsTable struct {
	Findings *experiment.Findings
	Colour   bool
}

// letter is the name of a variant in tables and pictures: A, B ... Z, A2 ...
func letter(variant int) string {
	name := string(rune('A' + variant%26))
	if variant >= 26 {
		name += strconv.Itoa(variant/26 + 1)
	}
	return name
}

// Write writes the tables, and under each what the comparisons come to.
func (t FindingsTable) Write(w io.Writer) error {
	f, p := t.Findings, paint.Paint(t.Colour)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.Bold(heading(f)))
	for v, one := range f.Experiment.Variants {
		line := letter(v) + "  " + one.Name
		if v == 0 && len(f.Comparisons) > 0 {
			line += ", the control"
		}
		fmt.Fprintln(&b, line)
	}
	for m, name := range f.Experiment.Measures {
		measure := experiment.Of(name)
		fmt.Fprintf(&b, "\n%s: %s\n", p.Bold(withUnit(measure)), measure.About)
		rows := [][]string{findingsHeads(f)}
		for v := range f.Experiment.Variants {
			rows = append(rows, findingsRow(f, v, m))
		}
		for i, line := range aligned(rows) {
			if i == 0 {
				line = p.Faint(line)
			}
			fmt.Fprintln(&b, line)
		}
		for v := range f.Comparisons {
			text := letter(v+1) + ": " + Verdict(f.Comparisons[v][m], measure.Unit)
			if f.Comparisons[v][m].Seen() {
				text = p.Bold(text)
			}
			fmt.Fprintln(&b, text)
		}
	}
	if note := ended(f); note != "" {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func heading(f *experiment.Findings) string {
	return fmt.Sprintf("%s: %s from %d on, %s of each, %s", f.Experiment.Name, units.Count(len(f.Seeds), "seed"), f.Experiment.Rule.First,
		units.Count(len(f.Experiment.Variants), "variant"), units.Count(len(f.Seeds)*len(f.Experiment.Variants), "run"))
}

// ended says why no more seeds were played, if a precision was asked for.
func ended(f *experiment.Findings) string {
	rule := f.Experiment.Rule
	if rule.Precision == 0 {
		return ""
	}
	word := "The widest interval of a difference in " + f.Experiment.Measures[0]
	if len(f.Comparisons) == 0 {
		word = "The interval of the mean of " + f.Experiment.Measures[0]
	}
	width := fmt.Sprintf("± %.2g %% of the control's mean", 100*f.Width())
	if f.Enough {
		return fmt.Sprintf("%s is %s, and %.2g %% was asked for.", word, width, 100*rule.Precision)
	}
	return fmt.Sprintf("%s is still %s; %.2g %% was asked for, and %d seeds are the most.", word, width, 100*rule.Precision, rule.Most)
}

func withUnit(m experiment.Measure) string {
	if m.Unit == "" {
		return m.Name
	}
	return m.Name + ", " + m.Unit
}

// findingsHeads are the heads of the columns of findingsRow.
func findingsHeads(f *experiment.Findings) []string {
	if len(f.Comparisons) == 0 {
		return []string{"", "mean", "95 % interval", "runs"}
	}
	return []string{"", "mean", "95 % interval", "difference", "95 % interval", "effect", "p", "r", "runs"}
}

// findingsRow is a measure of one variant.
func findingsRow(f *experiment.Findings, v, m int) []string {
	g := f.Groups[v][m]
	row := []string{letter(v), number(g.Mean, g.Interval.Half()), between(g.Interval)}
	if v > 0 {
		c := f.Comparisons[v-1][m]
		row = append(row, signed(c.Difference, c.Interval.Half()), between(c.Interval), number(c.Delta, 1), probability(c.Corrected), number(c.Correlation, 1))
	} else if len(f.Comparisons) > 0 {
		row = append(row, "", "", "", "", "")
	}
	return append(row, strconv.Itoa(g.N))
}

// Verdict is a comparison in words.
func Verdict(c experiment.Comparison, unit string) string {
	if unit != "" {
		unit = " " + unit
	}
	half := c.Interval.Half()
	switch {
	case c.N == 0:
		return "nothing to compare: no seed has a value in both"
	case c.Seen():
		word := "more"
		if c.Difference < 0 {
			word = "less"
		}
		return fmt.Sprintf("%s%s %s%s, a %s effect", number(math.Abs(c.Difference), half), unit, word, part(c.Part), stat.Size(c.Delta))
	case c.Difference == 0 && half == 0:
		return "no difference at all, in any seed"
	case c.Blind:
		return "too few seeds to see a difference, however great"
	case c.Interval.Excludes(0):
		return "no difference seen: the interval leaves 0 out, but one of so many comparisons may do so by chance"
	}
	return fmt.Sprintf("no difference seen; %s%s%s would have been", number(c.Detectable, half), unit, part(c.Detectable/c.Difference*c.Part))
}

// part is a difference in percent, in brackets, if there is something to divide
// by.
func part(of float64) string {
	if math.IsNaN(of) || math.IsInf(of, 0) {
		return ""
	}
	percent := 100 * math.Abs(of)
	if percent >= 10 {
		return fmt.Sprintf(" (%.0f %%)", percent)
	}
	return fmt.Sprintf(" (%.2g %%)", percent)
}

// number is a value with as many decimals as its uncertainty is worth.
func number(v, half float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	s := strconv.FormatFloat(v, 'f', decimals(v, half), 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// decimals is how many are shown: two digits of the uncertainty, or, if there
// is none, four digits of the value.
func decimals(v, half float64) int {
	digits := 1 - int(math.Floor(math.Log10(half)))
	if half == 0 || math.IsNaN(half) || math.IsInf(half, 0) {
		if v == math.Trunc(v) {
			return 0
		}
		digits = 3 - int(math.Floor(math.Log10(math.Abs(v))))
	}
	return min(max(digits, 0), 6)
}

func signed(v, half float64) string {
	s := number(v, half)
	if v > 0 && s != "-" {
		s = "+" + s
	}
	return s
}

func between(i stat.Interval) string {
	if math.IsNaN(i.Low) {
		return "-"
	}
	return number(i.Low, i.Half()) + " to " + number(i.High, i.Half())
}

func probability(p float64) string {
	switch {
	case math.IsNaN(p):
		return "-"
	case p < 0.001:
		return "<0.001"
	}
	return strconv.FormatFloat(p, 'f', 3, 64)
}

// aligned are rows as lines; all columns but the first end at the same place.
func aligned(rows [][]string) (lines []string) {
	width := make([]int, len(rows[0]))
	for _, cells := range rows {
		for i, cell := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range rows {
		line := ""
		for i, cell := range cells {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line = cell + space
				continue
			}
			line += "  " + space + cell
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
