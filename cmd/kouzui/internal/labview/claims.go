package labview

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"kouzui/actors/lab/paper"
	"kouzui/cmd/kouzui/internal/paint"
)

// Repeated is what was found of a paper.
type Repeated struct {
	Paper   *paper.Paper
	Seeds   int
	Answers []paper.Answer
}

// Command plays the runs of the paper again.
func (r Repeated) Command() string {
	command := "kouzui lab reproduce " + r.Paper.Name
	if r.Seeds != r.Paper.Seeds {
		command += fmt.Sprintf(" --seeds %d", r.Seeds)
	}
	return command
}

// ClaimsTable is what was found of a paper, for people.
type ClaimsTable struct {
	Repeated
	Colour bool
}

// Write writes two lines for each claim.
func (t ClaimsTable) Write(w io.Writer) error {
	p := paint.Paint(t.Colour)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", p.Bold(t.Paper.Citation), p.Faint(fmt.Sprintf("seeds 1 to %d: %s", t.Seeds, t.Command())))
	for _, a := range t.Answers {
		verdict := string(a.Verdict)
		if a.Verdict != paper.Holds {
			verdict = p.Failure(verdict)
		}
		fmt.Fprintf(&b, "  %s\n    %s: %s, and should be %s\n", a.Text, verdict, measuredOf(a), boundsOf(a.Claim))
	}
	if t.Paper.Limits != "" {
		fmt.Fprintf(&b, "  %s\n", p.Faint(t.Paper.Limits))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// measuredOf is what was measured, with its interval.
func measuredOf(a paper.Answer) string {
	return fmt.Sprintf("%s (%s) %s", number(a.Mean, a.Interval.Half()), between(a.Interval), a.Unit)
}

func boundsOf(c paper.Claim) string {
	switch {
	case math.IsInf(c.Least, -1):
		return fmt.Sprintf("at most %.3g", c.Most)
	case math.IsInf(c.Most, 1):
		return fmt.Sprintf("at least %.3g", c.Least)
	}
	return fmt.Sprintf("from %.3g to %.3g", c.Least, c.Most)
}

// ClaimsMarkdown is what was found of a paper, as a table of a page.
func ClaimsMarkdown(r Repeated) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (`%s`, seeds 1 to %d)\n\n| claim | should be | is | |\n|---|---|---|---|\n", r.Paper.Citation, r.Command(), r.Seeds)
	for _, a := range r.Answers {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", a.Text, boundsOf(a.Claim), measuredOf(a), a.Verdict)
	}
	if r.Paper.Limits != "" {
		fmt.Fprintf(&b, "\n%s\n", r.Paper.Limits)
	}
	return b.String()
}

// claimLine is a claim as JSON; docs/JSON.md describes it.
type claimLine struct {
	findingsLine
	Paper   string        `json:"paper"`
	Claim   string        `json:"claim"`
	Unit    string        `json:"unit"`
	Seeds   int           `json:"seeds"`
	Mean    *float64      `json:"mean"`
	Low     *float64      `json:"low"`
	High    *float64      `json:"high"`
	Least   *float64      `json:"least"`
	Most    *float64      `json:"most"`
	Verdict paper.Verdict `json:"verdict"`
}

// WriteClaims writes a JSON object on a line for each claim.
func WriteClaims(w io.Writer, r Repeated) error {
	out := json.NewEncoder(w)
	for _, a := range r.Answers {
		line := claimLine{
			findingsLine{FindingsSchema, "claim"}, r.Paper.Name, a.Text, a.Unit, a.N, Number(a.Mean), Number(a.Interval.Low), Number(a.Interval.High),
			Number(a.Least), Number(a.Most), a.Verdict,
		}
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
