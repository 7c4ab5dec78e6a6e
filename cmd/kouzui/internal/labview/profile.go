package labview

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"kouzui/actors/lab/stat"
	"kouzui/actors/lab/whatif"
	"kouzui/actors/runtime/units"
)

// Profile is how much sooner a swarm would be complete if one kind of actor
// were faster.
type Profile struct {
	Seeds int // that were played
	Kinds []whatif.Kind
}

// Write writes a table for people.
func (p Profile) Write(out io.Writer) error {
	if len(p.Kinds) == 0 {
		_, err := fmt.Fprintln(out, "No kind of actor works enough to matter.")
		return err
	}
	first := p.Kinds[0]
	fmt.Fprintf(out, "The last downloader is complete after %.2f s, on average of %s. With one\nkind of actor faster it would be so much sooner, in seconds:\n\n", first.Without, units.Count(first.Seeds, "seed"))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "kind\tof all work\t")
	for _, by := range whatif.Faster {
		fmt.Fprintf(t, "%.0f %% faster\t", 100*by)
	}
	fmt.Fprintln(t)
	for _, k := range p.Kinds {
		fmt.Fprintf(t, "%s\t%.1f %%\t", k.Name, 100*k.Share)
		for _, p := range k.Sooner {
			fmt.Fprintf(t, "%s\t", sooner(p))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// sooner is a difference with how far it reaches, in brackets if none is seen,
// or a dash if none is known.
func sooner(p stat.Paired) string {
	switch {
	case math.IsNaN(p.Difference):
		return "-"
	case math.IsNaN(p.Interval.Low): // of one pair
		return fmt.Sprintf("(%+.2f)", p.Difference)
	case !p.Interval.Excludes(0) && p.Difference != 0:
		return fmt.Sprintf("(%+.2f ± %.2f)", p.Difference, p.Interval.Half())
	}
	return fmt.Sprintf("%+.2f ± %.2f", p.Difference, p.Interval.Half())
}

// profileLine is how much sooner the last downloader is complete if a kind is
// faster by a part; docs/JSON.md describes it.
type profileLine struct {
	Schema   string   `json:"schema"`
	Type     string   `json:"type"`
	Kind     string   `json:"kind"`
	Share    float64  `json:"share_of_work"`
	Faster   float64  `json:"faster"`
	Seeds    int      `json:"seeds"`
	Pairs    int      `json:"pairs"`
	Complete float64  `json:"complete_seconds"`
	Sooner   *float64 `json:"sooner_seconds"`
	Low      *float64 `json:"sooner_low_seconds"`
	High     *float64 `json:"sooner_high_seconds"`
}

// WriteLines writes a JSON object on a line for each kind and speed.
func (p Profile) WriteLines(w io.Writer) error {
	out := json.NewEncoder(w)
	for _, k := range p.Kinds {
		for i, by := range whatif.Faster {
			s := k.Sooner[i]
			if err := out.Encode(profileLine{
				Schema, "profile", k.Name, k.Share, by, p.Seeds, s.N, k.Without,
				Number(s.Difference), Number(s.Interval.Low), Number(s.Interval.High),
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
