package labview

import (
	"math"
	"strings"
	"testing"

	"kouzui/actors/lab/stat"
	"kouzui/actors/lab/whatif"
)

// What is not known, as not all runs are complete, is a dash in the table and
// null in JSON.
func TestProfile(t *testing.T) {
	nan := math.NaN()
	p := Profile{Seeds: 9, Kinds: []whatif.Kind{{Name: "hash", Share: 0.25, Without: 12.3, Seeds: 2, Sooner: []stat.Paired{
		{N: 2, Difference: 1, Interval: stat.Interval{Low: 0.5, High: 1.5}},
		{N: 1, Difference: 2, Interval: stat.Interval{Low: nan, High: nan}},
		{Difference: nan, Interval: stat.Interval{Low: nan, High: nan}},
	}}}}
	for _, c := range []struct {
		write func(*strings.Builder) error
		want  []string
	}{
		{func(b *strings.Builder) error { return p.Write(b) }, []string{
			"after 12.30 s, on average of 2 seeds", "hash       25.0 %  +1.00 ± 0.50      (+2.00)            -\n",
		}},
		{func(b *strings.Builder) error { return p.WriteLines(b) }, []string{
			`"seeds":9,"pairs":2,"complete_seconds":12.3,"sooner_seconds":1,"sooner_low_seconds":0.5,"sooner_high_seconds":1.5}`,
			`"pairs":1,"complete_seconds":12.3,"sooner_seconds":2,"sooner_low_seconds":null,"sooner_high_seconds":null}`,
			`"pairs":0,"complete_seconds":12.3,"sooner_seconds":null,`,
		}},
	} {
		var b strings.Builder
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
	}
}
