package event

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What is read from a histogram is within 9 % of what was counted.
func TestQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Int64Range(1, int64(100*time.Hour)), 1, 50).Draw(t, "durations")
		part := rapid.Float64Range(0.01, 1).Draw(t, "part")
		var h Histogram
		for _, d := range all {
			h.Add(time.Duration(d), 1)
		}
		slices.Sort(all)
		at := int(part*float64(len(all))+0.999999) - 1
		exact := float64(all[max(0, min(at, len(all)-1))])
		if got := float64(h.Quantile(part)); (got < exact*0.91-1 || got > exact*1.1) && exact > 1 {
			t.Fatalf("the %v quantile of %v is %v, exactly %v", part, all, got, exact)
		}
	})
}

func TestHistogramAsText(t *testing.T) {
	var h, again Histogram
	for _, d := range []time.Duration{0, 1, time.Microsecond, 290 * 365 * 24 * time.Hour} {
		h.Add(d, 2)
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(h, again) {
		t.Errorf("%s is read as %v: %v", text, again, err)
	}
	for _, bad := range []string{`{"-1":1}`, `{"1000000000":1}`, `[1]`, `{"1":-1}`} {
		if json.Unmarshal([]byte(bad), &again) == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
