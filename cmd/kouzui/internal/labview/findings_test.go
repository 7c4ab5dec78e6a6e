package labview

import (
	"context"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/lab/stat"
)

// found is an experiment of three variants, one run of which fails, and one has
// no value.
func found(t *testing.T) FindingsPage {
	t.Helper()
	e, err := experiment.Read(`
about = "Who <waits>?"
scenario = "small.toml"
seeds = 6
precision = 0.01
measure = ["last", "complete"]
[vary]
"class.peer.up" = ["64 KiB", "60 KiB", "16 KiB"]
`, "e.toml", func(string) (string, error) {
		return "content = \"256 KiB\"\npiece = \"64 KiB\"\nlimit = \"2m\"\n[[class]]\nname = \"seed\"\nhave = 1.0\nup = \"64 KiB\"\n[[class]]\nname = \"peer\"\ncount = 2\nup = \"64 KiB\"\nwithin = \"1s\"\n", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[experiment.Job]experiment.Outcome{}
	for _, j := range e.Jobs(1, 6) {
		o := experiment.Outcome{Job: j, Run: "abc", Values: experiment.Values{10 + float64(j.Seed)/10 + float64(j.Variant), 100}}
		switch {
		case j.Variant == 1 && j.Seed == 2:
			o.Failure = "peer-001: it is <late>"
		case j.Variant == 2 && j.Seed == 3:
			o.Values[0] = math.NaN()
		}
		all[j] = o
	}
	p := FindingsPage{Findings: e.Find(all, 6), Command: "kouzui lab experiment e.toml", Seed: 1}
	for v := range 2 {
		r, err := e.Replay(context.Background(), experiment.Job{Variant: v, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		p.Runs = append(p.Runs, r)
	}
	return p
}

func TestFindingsPage(t *testing.T) {
	var b strings.Builder
	if err := found(t).Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	checkPage(t, text, 9)
	for _, want := range []string{"kouzui lab simulate small.toml --seed 6 --quick", "&lt;late&gt;", "Who &lt;waits&gt;?", "up=60 KiB", "was asked for", "A: who gave to whom", "What the last completion waited for</th><th>A</th><th>B</th>", "<tr><td>transfer, uplink</td><td>"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if !regexp.MustCompile(`seed to peer: 0\.[1-9] MiB`).MatchString(text) {
		t.Error("it is not shown what the seed gave")
	}
	if dots := strings.Count(text, `class="d0 dot"`); dots != 12 { // of the control, of two measures
		t.Errorf("%d dots of the control", dots)
	}
}

// A run in which nobody is complete has waited for nothing.
func TestFindingsPageOfRunsWithoutACompletion(t *testing.T) {
	p := found(t)
	for incomplete, want := range []*regexp.Regexp{
		regexp.MustCompile(`<td>transfer, uplink</td><td>[0-9.]+ s</td><td>[0-9.]+ s</td>`),
		regexp.MustCompile(`<td>transfer, uplink</td><td>-</td><td>[0-9.]+ s</td>`),
		nil,
	} {
		if incomplete > 0 {
			p.Runs[incomplete-1].Path = nil
		}
		var b strings.Builder
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		if want != nil && !want.MatchString(b.String()) || want == nil && strings.Contains(b.String(), "the last completion waited") {
			t.Errorf("%d runs without a completion: not %v", incomplete, want)
		}
	}
}

// Numbers of five characters fit a terminal; with one variant no difference is
// spoken of.
func TestFindingsTableFitsATerminal(t *testing.T) {
	for _, variants := range []int{3, 1} {
		e := found(t).Experiment
		e.Variants = e.Variants[:variants]
		all := map[experiment.Job]experiment.Outcome{}
		for _, j := range e.Jobs(1, 6) {
			chance := float64(j.Seed*(uint64(j.Variant)+7)%11) / 10
			all[j] = experiment.Outcome{Job: j, Values: experiment.Values{80_000 + 1e4*chance, 0.12345 * chance}}
		}
		var b strings.Builder
		if err := (FindingsTable{Findings: e.Find(all, 6)}).Write(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && !strings.HasPrefix(line, "The ") {
				t.Errorf("%d letters: %s", n, line)
			}
		}
		if strings.Contains(b.String(), "difference") != (variants > 1) {
			t.Errorf("of %d variants:\n%s", variants, b.String())
		}
	}
}

// Values that differ by rounding alone are drawn, with a few ticks.
func TestStripsOfRoundedValues(t *testing.T) {
	for _, values := range [][]float64{{1, math.Nextafter(1, 0)}, {43.25, math.Nextafter(43.25, 50)}, {7, 7}, {math.NaN()}, {0, 1e-300}, {1e15, 1e15 + 1}} {
		s := newStrips("values", 1, values)
		if ticks := strings.Count(s.String(), "<line"); ticks < 2 || ticks > 8 {
			t.Errorf("%v: %d ticks", values, ticks)
		}
	}
}

func TestVerdict(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		c    experiment.Comparison
		want string
	}{
		{experiment.Comparison{}, "nothing to compare: no seed has a value in both"},
		{experiment.Comparison{Paired: stat.Paired{N: 9, Difference: -1.234, Delta: -0.4, Interval: stat.Interval{Low: -1.5, High: -0.9}}, Part: -0.1, Corrected: 0.01},
			"1.23 s less (10 %), a medium effect"},
		{experiment.Comparison{Paired: stat.Paired{N: 9, Difference: 1, Interval: stat.Interval{Low: -1, High: 3}}, Part: 0.05, Corrected: 0.5, Detectable: 4},
			"no difference seen; 4.0 s (20 %) would have been"},
		{experiment.Comparison{Paired: stat.Paired{N: 9, Difference: 1, Interval: stat.Interval{Low: 0.5, High: 1.5}}, Corrected: 0.2},
			"no difference seen: the interval leaves 0 out, but one of so many comparisons may do so by chance"},
		{experiment.Comparison{Paired: stat.Paired{N: 3, Difference: 1, Interval: stat.Interval{Low: 0.5, High: 1.5}}, Corrected: 0.2, Blind: true},
			"too few seeds to see a difference, however great"},
		{experiment.Comparison{Paired: stat.Paired{N: 9}, Corrected: 1, Part: nan}, "no difference at all, in any seed"},
	} {
		if got := Verdict(c.c, "s"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Numbers show two digits of what is uncertain.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v, half float64
		want    string
	}{
		{43.4012, 0.59, "43.40"}, {43.4012, 5.9, "43.4"}, {4301.2, 59, "4301"}, {0.01234, 0.0021, "0.0123"}, {100, 0, "100"}, {1.23456, 0, "1.235"},
		{-0.001, 0.5, "0.00"}, {math.NaN(), 1, "-"}, {0, math.NaN(), "0"}, {12345.6, math.NaN(), "12346"},
	} {
		if got := number(c.v, c.half); got != c.want {
			t.Errorf("%v ± %v: %q, want %q", c.v, c.half, got, c.want)
		}
	}
}
