package sweep

import (
	"maps"
	"net"
	"slices"
	"time"
)

// Numbers that decide.
const (
	// stragglerTimes is how many times as long as usual a straggler takes. If it
	// were less, workers that are merely a little slower would be copied.
	stragglerTimes = 2

	// usualOf is of how many jobs the usual time is the median.
	usualOf = 101

	// maxPlayers is how many workers play a straggler.
	maxPlayers = 2
)

// assign gives jobs to the workers that have none: first those that are to be
// played, then copies of stragglers.
func (l *ledger) assign(now time.Time) {
	if !l.loaded {
		return
	}
	for _, name := range l.idle() {
		w := l.workers[name]
		t := l.pick(w, &l.again)
		if t == nil {
			t = l.pick(w, &l.queue)
		}
		if t == nil {
			t = l.straggler(w, now)
		}
		if t != nil {
			l.lend(w, t, now)
			l.effects.give = append(l.effects.give, gift{name, t.job})
		}
	}
}

// pick takes the first job from a queue that the worker may play.
func (l *ledger) pick(w *player, queue *[]*task) *task {
	for i := 0; i < len(*queue); {
		t := (*queue)[i]
		open := !t.closed()
		if open && !l.suits(w, t) {
			i++
			continue
		}
		if i == 0 {
			*queue = (*queue)[1:]
		} else {
			*queue = slices.Delete(*queue, i, i+1)
		}
		t.queued--
		if open {
			return t
		}
	}
	return nil
}

// suits tells whether the worker may play the job: a second outcome has to come
// from another worker, and from another machine if there is one.
func (l *ledger) suits(w *player, t *task) bool {
	for _, e := range t.records {
		if e.Outcome != "" && l.nearer(w.label, e.Worker) {
			return false
		}
	}
	for _, other := range l.workers {
		if other != w && other.task == t && l.nearer(w.label, other.label) {
			return false
		}
	}
	return true
}

// nearer tells whether some worker is farther from one than another is: in
// another process, or on another machine.
func (l *ledger) nearer(one, other string) bool {
	if machine(one) != machine(other) {
		return false
	}
	for _, w := range l.workers {
		if machine(w.label) != machine(one) || one == other && w.label != one {
			return true
		}
	}
	return false
}

func machine(label string) string {
	host, _, err := net.SplitHostPort(label)
	if err != nil {
		return label
	}
	return host
}

// straggler is the job that has been played for longest, and for too long.
func (l *ledger) straggler(w *player, now time.Time) (t *task) {
	patience, known := l.patience()
	if !known {
		return nil
	}
	var since time.Time
	for _, name := range slices.Sorted(maps.Keys(l.workers)) {
		other := l.workers[name]
		if o := other.task; o == nil || o.players >= maxPlayers || o.closed() || o.by(w.label) || now.Sub(other.since) < patience {
			continue
		}
		if t == nil || other.since.Before(since) {
			t, since = other.task, other.since
		}
	}
	return t
}

// patience is from when on a job is a straggler; it is not known before a job
// was played.
func (l *ledger) patience() (d time.Duration, known bool) {
	if len(l.took) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(l.took))
	return stragglerTimes * sorted[len(sorted)/2], true
}

// timed notes how long a job has taken.
func (l *ledger) timed(d time.Duration) {
	l.took = append(l.took, d)
	if len(l.took) > usualOf {
		l.took = slices.Delete(l.took, 0, 1)
	}
}

// expire dismisses workers that have had their job for too long, and looks for
// stragglers.
func (l *ledger) expire(now time.Time) {
	for _, name := range slices.Sorted(maps.Keys(l.workers)) {
		if w := l.workers[name]; w.task != nil && !w.over && now.Sub(w.since) >= l.lease {
			w.over = true
			l.effects.dismiss = append(l.effects.dismiss, name)
		}
	}
	l.assign(now)
}

// next is when expire is to be called again; false: when something has
// happened.
func (l *ledger) next(now time.Time) (at time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	patience, known := l.patience()
	idle := len(l.idle()) > 0
	for _, w := range l.workers {
		if w.task == nil || w.over {
			continue
		}
		sooner(w.since.Add(l.lease))
		if straggles := w.since.Add(patience); idle && known && w.task.players < maxPlayers && straggles.After(now) {
			sooner(straggles)
		}
	}
	return at, ok
}
