package lab

import (
	"os"
	"testing"
)

// BenchmarkFlashCrowd is what testdata/lab/flash-crowd.toml takes.
func BenchmarkFlashCrowd(b *testing.B) {
	text, err := os.ReadFile("../../testdata/lab/flash-crowd.toml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Read(string(text))
		if err != nil {
			b.Fatal(err)
		}
		r, err := Run(s, Options{Seed: 1, Quick: true})
		if err != nil || len(r.Wrong) > 0 {
			b.Fatal(err, r.Wrong)
		}
		b.ReportMetric(float64(r.Messages)/r.Real.Seconds(), "messages/s")
		b.ReportMetric(r.Virtual.Seconds()/r.Real.Seconds(), "virtual-s/s")
	}
}
