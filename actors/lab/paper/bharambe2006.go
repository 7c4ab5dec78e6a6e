package paper

import (
	"kouzui/actors/lab"
)

// bharambe2006 is how well uplinks are used, and what slow peers take.
var bharambe2006 = &Paper{
	Name:     "bharambe2006",
	Short:    "how well uplinks are used",
	Citation: "Bharambe, Herley and Padmanabhan, Analyzing and Improving a BitTorrent Network's Performance Mechanisms (Infocom 2006)",
	Seeds:    5,
	Variants: []Variant{
		{"equal uplinks", lab.Settings{"class.slow.up": "64 KiB", "class.fast.up": "64 KiB"}},
		{"unequal uplinks", nil},
		// While all download nobody gives as a seed does.
		{"unequal, first part", lab.Settings{"until": "120s"}},
		{"by blocks, first part", lab.Settings{"until": "120s", "patterns.choker": "tit-for-tat"}},
	},
	Claims: []Claim{
		{
			Text: "uplinks are nearly full while all download", Unit: "of what the uplinks could send", Least: 0.9, Most: 1,
			Of: func(r Runs, seed int) float64 { return busy(r[0][seed]) },
		},
		{
			Text: "where they differ, the slow send less than they take", Unit: "sent for each byte taken", Least: 0, Most: 0.9,
			Of: func(r Runs, seed int) float64 { return given(r[1][seed], "slow") },
		},
		{
			Text: "and the fast send more than they take", Unit: "sent for each byte taken", Least: 1.1, Most: none,
			Of: func(r Runs, seed int) float64 { return given(r[1][seed], "fast") },
		},
		{
			Text: "tit-for-tat by blocks is fairer while all download: what the fast send beyond what they take", Unit: "of the same with tit-for-tat by rates", Least: -none, Most: 0.9,
			Of: func(r Runs, seed int) float64 {
				return (given(r[3][seed], "fast") - 1) / (given(r[2][seed], "fast") - 1)
			},
		},
	},
}

// busy is the part of what all uplinks could have sent, without headers, from
// when all is out until the first downloader is complete.
func busy(r *lab.Result) float64 {
	var first, last lab.Sample
	from := out(r)
	for _, s := range r.Samples {
		if s.At < from {
			continue
		}
		if s.Complete > 1 {
			break
		}
		if first.At == 0 {
			first = s
		}
		last = s
	}
	could := float64(r.Played.Capacity()) * payload * (last.At - first.At).Seconds()
	return float64(last.Uploaded-first.Uploaded) / could
}

// given is how many bytes a class sent for each that it took.
func given(r *lab.Result, class string) float64 {
	sum := r.OfClass(class).Total()
	return float64(sum.Uploaded) / float64(sum.Downloaded)
}
