package sweep

import (
	"fmt"
	"testing"

	"kouzui/actors/sweep/job"
)

func TestDisagreementIsTold(t *testing.T) {
	jobs := named(1, true)
	p := newPlan(t, jobs...)
	p.join("a", "x:1")
	p.join("b", "x:2")
	p.says("a", `"one"`)
	p.says("b", `"other"`)
	p.write()
	d, is := p.news[0].(*Disagreed)
	if !is || d.One.Outcome != `"one"` || d.Other.Outcome != `"other"` || d.Other.Worker != "x:2" {
		t.Errorf("told is %+v", p.news)
	}
	p.news = nil
	p.restart(jobs) // it stays
	if _, is := p.news[0].(*Disagreed); !is {
		t.Errorf("told after a restart is %+v", p.news)
	}
}

// TestOneInAHundredIsChecked, more or less: by the jobs alone.
func TestOneInAHundredIsChecked(t *testing.T) {
	const n = 20_000
	found := 0
	for i := range n {
		if checked(job.Job(fmt.Sprintf(`{"experiment":"03ffc7cb","variant":%d,"seed":%d}`, i%2, i))) {
			found++
		}
	}
	if found < n/oneChecked/2 || found > n/oneChecked*2 {
		t.Errorf("%d of %d are checked", found, n)
	}
}
