package sweep

import (
	"slices"
	"time"

	"kouzui/actors/sweep/job"
)

// ledger is the core: which jobs there are, who plays them, and what has come
// out. It believes what the journal has.
type ledger struct {
	lease   time.Duration // how long a worker may play one job
	loaded  bool          // what the journal began with is known
	jobs    map[job.Job]*task
	all     []*task // in the order in which they became known
	queue   []*task // to be given, in the order in which they were asked for
	again   []*task // to be given before those: a worker has lost them
	workers map[string]*player
	took    []time.Duration // by the last jobs that were played, see usual
	effects effects
}

// effects is what the shell has to do.
type effects struct {
	give    []gift
	write   []job.Record
	tell    []any    // to the program
	dismiss []string // workers whose job has taken too long
}

type gift struct {
	worker string
	job    job.Job
}

// player is a worker that is ready.
type player struct {
	label string // HOST:PROCESS
	task  *task  // what it plays; nil: nothing
	since time.Time
	over  bool // its lease has ended, and it is dismissed
}

func newLedger(lease time.Duration) *ledger {
	return &ledger{lease: lease, jobs: map[job.Job]*task{}, workers: map[string]*player{}}
}

func (l *ledger) take() effects {
	done := l.effects
	l.effects = effects{}
	return done
}

func (l *ledger) task(j job.Job) *task {
	t := l.jobs[j]
	if t == nil {
		t = &task{job: j}
		l.jobs[j] = t
		l.all = append(l.all, t)
	}
	return t
}

// tell says what has become of a job.
func (l *ledger) tell(t *task) { l.effects.tell = append(l.effects.tell, t.news()...) }

// write has the journal write a record.
func (l *ledger) write(t *task, r job.Record) {
	t.records = append(t.records, entry{Record: r})
	l.effects.write = append(l.effects.write, r)
}

// want puts the job into one of the queues as often as it must still be given.
func (l *ledger) want(t *task, queue *[]*task) {
	for t.wanted() > 0 {
		t.queued++
		*queue = append(*queue, t)
	}
}

// add enters jobs that the program asks for.
func (l *ledger) add(jobs []job.Job, now time.Time) {
	for _, j := range jobs {
		t := l.task(j)
		t.asked, t.told = true, false
		l.want(t, &l.queue)
		l.tell(t)
	}
	l.assign(now)
}

// load takes what the journal began with.
func (l *ledger) load(records []job.Record, now time.Time) {
	of := map[*task][]job.Record{}
	for _, r := range records {
		t := l.task(r.Job)
		of[t] = append(of[t], r)
	}
	for _, t := range l.all {
		l.effects.write = append(l.effects.write, t.reload(of[t])...)
		l.want(t, &l.queue)
		l.tell(t)
	}
	l.loaded = true
	l.assign(now)
}

// written takes it that a record stands in the journal.
func (l *ledger) written(r job.Record) {
	t := l.task(r.Job)
	t.write(r)
	l.tell(t)
}

// ready enters a worker, or one that joins again. It may still play what it was
// given before, and have played a job of which nobody has heard.
func (l *ledger) ready(name, label string, plays job.Job, last *job.Played, now time.Time) {
	w := l.workers[name]
	if w == nil {
		w = &player{}
		l.workers[name] = w
	}
	w.label = label
	if last != nil && l.jobs[last.Job] != nil {
		l.enter(w, l.jobs[last.Job], last.Outcome, false)
	}
	if w.task == nil || w.task.job != plays {
		l.release(w)
		if plays != "" {
			l.lend(w, l.known(plays), now)
		}
	}
	l.assign(now)
}

// known is the task of a job that a worker plays, though nobody may want it any
// more: until the worker has played it, it can play no other.
func (l *ledger) known(j job.Job) *task {
	if t := l.jobs[j]; t != nil {
		return t
	}
	return &task{job: j} // of an earlier sweep of another experiment, perhaps
}

func (l *ledger) lend(w *player, t *task, now time.Time) {
	w.task, w.since = t, now
	t.players++
}

// release takes its job from a worker, and has it given again.
func (l *ledger) release(w *player) {
	t := w.task
	if t == nil {
		return
	}
	w.task = nil
	t.players--
	l.want(t, &l.again)
}

// played takes what a worker says of a job, perhaps after the job was given to
// another.
func (l *ledger) played(name string, j job.Job, o job.Outcome, now time.Time) {
	w := l.workers[name]
	if w == nil {
		return
	}
	given := w.task != nil && w.task.job == j
	if given {
		w.task.players--
		w.task = nil
		l.timed(now.Sub(w.since))
	}
	if t := l.jobs[j]; t != nil {
		l.enter(w, t, o, given)
		l.want(t, &l.again)
	}
	l.assign(now)
}

// enter has an outcome written that says something new. From a worker that was
// given the job that is so unless the job is closed, for one that is alone may
// have to play a job twice; else it may be what the worker has said before.
func (l *ledger) enter(w *player, t *task, o job.Outcome, given bool) {
	if o != "" && (given && !t.closed() || !t.by(w.label) && !(t.closed() && t.says(o))) {
		l.write(t, job.Record{Job: t.job, Worker: w.label, Outcome: o})
	}
}

// lost takes it that a worker has ended: because of its job, perhaps, unless it
// has left in good order, when reason is empty.
func (l *ledger) lost(name, reason string, now time.Time) {
	w := l.workers[name]
	if w == nil {
		return
	}
	delete(l.workers, name)
	if t := w.task; t != nil && reason != "" && !t.closed() {
		l.write(t, job.Record{Job: t.job, Worker: w.label, Ended: reason})
	}
	l.release(w)
	l.assign(now)
}

// idle are the workers that can be given a job, in a fixed order.
func (l *ledger) idle() (names []string) {
	for name, w := range l.workers {
		if w.task == nil && !w.over {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// News is what a sweep would tell of the jobs if its journal had the records,
// and nobody played any more.
func News(jobs []job.Job, records []job.Record) []any {
	l := newLedger(0)
	l.load(records, time.Time{})
	l.add(jobs, time.Time{})
	return l.take().tell
}
