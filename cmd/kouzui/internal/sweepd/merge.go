package sweepd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"kouzui/actors/lab/experiment"
	"kouzui/actors/sweep"
	"kouzui/actors/sweep/job"
	"kouzui/actors/sweep/journal"
)

// Recorded is what has come out of earlier sweeps of one experiment. It is an
// experiment.Runner that plays nothing.
type Recorded struct {
	Experiment *experiment.Experiment
	records    []job.Record
}

// ReadJournals reads the journals of sweeps of one experiment by one build.
func ReadJournals(paths []string) (*Recorded, error) {
	r := new(Recorded)
	var first journal.Header
	for i, path := range paths {
		h, records, err := readJournal(path)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first, r.Experiment = h, new(experiment.Experiment)
			if err := json.Unmarshal(h.Experiment, r.Experiment); err != nil || string(r.Experiment.Digest()) != h.Digest {
				return nil, fmt.Errorf("%s: %w: its experiment cannot be read", path, journal.ErrNoJournal)
			}
		} else if err := first.Match(h); err != nil {
			return nil, fmt.Errorf("%s, beside %s: %w", path, paths[0], err)
		}
		r.records = append(r.records, records...)
	}
	return r, nil
}

func readJournal(path string) (h journal.Header, records []job.Record, err error) {
	file, err := os.Open(path)
	if err != nil {
		return h, nil, err
	}
	defer file.Close()
	h, records, whole, err := journal.Read(file)
	if err == nil && whole == 0 {
		err = journal.ErrNoJournal
	}
	if err != nil {
		return h, nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, records, nil
}

// MissingError: runs stand in none of the journals.
type MissingError struct {
	Missing, Of int
	First       experiment.Job
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%d of %d runs stand in no journal; the first is of variant %d with seed %d", e.Missing, e.Of, e.First.Variant+1, e.First.Seed)
}

// Run implements experiment.Runner.
func (r *Recorded) Run(_ context.Context, jobs []experiment.Job, say func(experiment.Outcome)) error {
	w, texts, err := want(jobs)
	if err != nil {
		return err
	}
	for _, m := range sweep.News(texts, r.records) {
		if err := w.hear(m, say); err != nil {
			return err
		}
	}
	if len(w) == 0 {
		return nil
	}
	missing := &MissingError{Missing: len(w), Of: len(jobs)}
	for _, j := range w {
		if f := missing.First; f.Seed == 0 || j.Seed < f.Seed || j.Seed == f.Seed && j.Variant < f.Variant {
			missing.First = j
		}
	}
	return missing
}

// wanted are jobs of which nothing was heard yet.
type wanted map[job.Job]experiment.Job

// want returns the jobs, and their texts in the same order.
func want(jobs []experiment.Job) (w wanted, texts []job.Job, err error) {
	w = wanted{}
	for _, j := range jobs {
		text, err := json.Marshal(j)
		if err != nil {
			return nil, nil, err
		}
		w[job.Job(text)] = j
		texts = append(texts, job.Job(text))
	}
	return w, texts, nil
}

// hear takes what a sweep tells, and says the outcome of a job once.
func (w wanted) hear(m any, say func(experiment.Outcome)) error {
	switch m := m.(type) {
	case *sweep.Played:
		j, is := w[m.Job]
		if !is {
			return nil // said before, by a sweep that has failed since
		}
		delete(w, m.Job)
		var o experiment.Outcome
		if err := json.Unmarshal([]byte(m.Outcome), &o); err != nil || o.Job != j {
			return fmt.Errorf("an outcome of %s cannot be read", m.Job)
		}
		say(o)
	case *sweep.PutAside:
		if j, is := w[m.Job]; is {
			delete(w, m.Job)
			say(experiment.Outcome{Job: j, Failure: fmt.Sprintf("put aside, as it has ended %d workers", m.Deaths)})
		}
	case *sweep.Disagreed:
		return &DisagreementError{m}
	case *sweep.Failed:
		return m.Err
	}
	return nil
}
