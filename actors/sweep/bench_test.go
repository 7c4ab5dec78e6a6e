package sweep

import (
	"fmt"
	"testing"
	"time"

	"kouzui/actors/sweep/job"
)

// BenchmarkJob is what the core does for one job: its outcome comes, is
// written, and the worker gets another.
func BenchmarkJob(b *testing.B) {
	for _, workers := range []int{2, 1000} {
		b.Run(fmt.Sprint(workers, " workers"), func(b *testing.B) {
			jobs := make([]job.Job, b.N+workers)
			for i := range jobs {
				jobs[i] = job.Job(fmt.Sprintf(`{"experiment":"03ffc7cb654f","variant":0,"seed":%d}`, i))
			}
			now := time.Unix(0, 0)
			l := newLedger(DefaultLease)
			l.add(jobs, now)
			l.load(nil, now)
			given := []gift{}
			for i := range workers {
				l.ready(fmt.Sprint("worker-", i), fmt.Sprintf("host%d:%d", i/64, i), "", nil, now)
				given = append(given, l.take().give...)
			}
			b.ResetTimer()
			for i := range b.N {
				g := given[i]
				now = now.Add(time.Millisecond)
				l.played(g.worker, g.job, `{"values":[1]}`, now)
				e := l.take()
				given = append(given, e.give...)
				for _, r := range e.write {
					l.written(r)
				}
				l.take()
				l.next(now)
			}
		})
	}
}
