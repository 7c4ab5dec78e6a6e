package trace_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/supervise"
	"kouzui/actors/runtime/trace"
	"kouzui/actors/world"
)

// clock is the virtual time of a synctest bubble.
type clock struct{}

func (clock) Now() time.Time                                  { return time.Now() }
func (clock) AfterFunc(d time.Duration, f func()) world.Timer { return time.AfterFunc(d, f) }
func (clock) Source(string) *rand.Rand                        { return rand.New(rand.NewPCG(1, 2)) }

// What the actors of a storm are told.
type (
	crash  struct{ with any }
	end    struct{}
	idle   struct{ until chan struct{} }
	remark struct{}
)

// family is an actor that does what it is told and keeps its children alive.
func family(children map[string]*actor.Props) actor.Producer {
	return func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *actor.Started:
				for name, props := range children {
					if _, err := c.SpawnNamed(props, name); err != nil {
						panic(err)
					}
				}
			case *actor.Stopping:
				if len(children) == 0 && supervise.Incarnation(c)%3 == 0 {
					panic("cannot even stop")
				}
			case *crash:
				panic(m.with)
			case *end:
				supervise.StopSelf(c, "peer gone")
			case *idle:
				<-m.until
			case *remark:
				supervise.Remark(c, "piece_verified", event.Number("piece", 7), event.Text("by", "\"storm\"\n"))
			}
		})
	}
}

type storm struct {
	*supervise.Tree
	root  *actor.PID
	paths []string
}

// newStorm builds a tree with a supervisor of each strategy, and three leaves
// below each.
func newStorm(t *testing.T, sinks ...event.Sink) *storm {
	s := &storm{Tree: supervise.New(supervise.Config{
		System: supervise.NewSystem(zerolog.Nop()), Clock: clock{}, Chance: clock{}, Sinks: sinks, Sample: 100 * time.Millisecond,
	})}
	s.TakeNotes(true)
	leaf := s.Props("leaf", family(nil))
	mids := map[string]*actor.Props{}
	for _, strategy := range []supervise.Strategy{
		supervise.DefaultBackoff, supervise.Backoff{All: true}, supervise.StopChild, supervise.Escalate,
	} {
		name := strategy.Name()
		mids[name] = s.Props("mid", family(map[string]*actor.Props{"0": leaf, "1": leaf, "2": leaf}), supervise.WithStrategy(strategy))
		s.paths = append(s.paths, "root/"+name, "root/"+name+"/0", "root/"+name+"/1", "root/"+name+"/2")
	}
	slices.Sort(s.paths)
	forever := supervise.DefaultBackoff
	forever.Budget = 0
	var err error
	s.root, err = s.Spawn("root", s.Props("root", family(mids), supervise.WithStrategy(forever)), supervise.StopChild)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return s
}

func (s *storm) tell(path string, m any) { s.System.Root.Send(s.System.NewLocalPID(path), m) }

// step does something at random.
func (s *storm) step(rnd *rand.Rand) {
	path := s.paths[rnd.IntN(len(s.paths))]
	switch rnd.IntN(9) {
	case 0, 1:
		s.tell(path, &crash{"boom"})
	case 2:
		s.tell(path, &crash{&supervise.DesignedFailure{Err: errors.New("as it may")}})
	case 3:
		if rnd.IntN(4) == 0 {
			s.tell(path, &end{})
		}
	case 4:
		_ = s.Kill(path, "on purpose") // it may be gone
	case 5:
		_ = s.Probe(path)
	case 6:
		s.tell(path, &remark{})
	case 7: // hold it up, so that messages wait
		timer := make(chan struct{})
		s.tell(path, &idle{timer})
		for range rnd.IntN(5) {
			s.tell(path, &remark{})
		}
		s.tell(path, &crash{"late"})
		time.AfterFunc(time.Duration(rnd.IntN(500))*time.Millisecond, func() { close(timer) })
	case 8:
		advance(time.Duration(rnd.IntN(400)) * time.Millisecond)
	}
}

func (s *storm) over(t *testing.T) {
	t.Helper()
	advance(time.Second) // actors that a fault holds up go on
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Shutdown(ctx, s.root); err != nil {
		t.Error(err)
	}
	advance(time.Second) // the throttle of dead letters sleeps a little longer
}

func advance(d time.Duration) {
	synctest.Wait()
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// TestTheTreeStandsInTheFile rebuilds the tree from the file alone, as it was
// at every quiet moment of a storm, and checks each line against the schema.
func TestTheTreeStandsInTheFile(t *testing.T) {
	schema := compiled(t)
	seen := map[event.Kind]bool{event.Dropped: true} // the backlog is large enough here
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			file, moments := stormyRun(t, rand.New(rand.NewPCG(seed, 0)))
			for line := range bytes.Lines(file) {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
				if err == nil {
					seen[event.Kind(v.(map[string]any)["kind"].(string))] = true
					err = schema.Validate(v)
				}
				if err != nil {
					t.Fatalf("%s%v", line, err)
				}
			}
			follow(t, file, moments)
		})
	}
	for _, k := range []event.Kind{
		event.Header, event.Spawned, event.Started, event.Fault, event.Failed, event.Directive,
		event.Escalated, event.Restarting, event.Restarted, event.Stopping, event.Stopped,
		event.DeadLetter, event.Mailbox, event.Note, event.Dropped,
	} {
		if !seen[k] {
			t.Errorf("the storms had no event of kind %s", k)
		}
	}
}

// moment is the tree after an event, and the time.
type moment struct {
	seq  uint64
	time time.Time
	tree []supervise.Node
}

func stormyRun(t *testing.T, rnd *rand.Rand) (written []byte, moments []moment) {
	var out bytes.Buffer
	file := trace.NewFile(&out, trace.Header{Run: "r", Build: "b", Clock: "virtual", StartedAt: time.Now()})
	recent := trace.NewRecent(1)
	s := newStorm(t, file, recent)
	for range 300 {
		s.step(rnd)
		synctest.Wait()
		m := moment{seq: recent.Events()[0].Seq, time: time.Now(), tree: s.Snapshot()}
		for i := range m.tree {
			m.tree[i].MailboxDepth = 0
		}
		moments = append(moments, m)
	}
	s.over(t)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), moments
}

// follow reads the file, and compares the tree with each moment when it gets
// there: by the number of the event, and by the time with the last moment of
// that time.
func follow(t *testing.T, file []byte, moments []moment) {
	r, err := trace.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var tree trace.Replay
	compare := func(m moment, by string) {
		if diff := cmp.Diff(m.tree, tree.Nodes()); diff != "" {
			t.Fatalf("by %s after event %d: %s", by, m.seq, diff)
		}
	}
	bySeq, byTime := 0, 0
	for e := range r.Events() {
		for ; bySeq < len(moments) && moments[bySeq].seq < e.Seq; bySeq++ {
			compare(moments[bySeq], "number")
		}
		for ; byTime < len(moments) && moments[byTime].time.Before(e.Time); byTime++ {
			if m := moments[byTime]; byTime+1 == len(moments) || moments[byTime+1].time.After(m.time) {
				compare(m, "time")
			}
		}
		tree.Apply(e)
	}
	if r.Err() != nil || bySeq != len(moments) || byTime != len(moments) {
		t.Errorf("compared %d and %d moments of %d, %v", bySeq, byTime, len(moments), r.Err())
	}
	if left := tree.Nodes(); len(left) > 0 {
		t.Errorf("at the end there are still %v", left)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	schema, err := c.Compile("../../../testdata/kouzui-trace-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestTheSchemaRefuses checks that the schema rejects lines that are wrong.
func TestTheSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	const header = `{"kind":"header","version":"kouzui-trace/1","run":"r","build":"b","configuration":{},"clock":"real","started_at":"2000-01-01T00:00:00Z"}`
	const dead = `{"kind":"dead_letter","seq":1,"time":0,"actor":"a","message_type":"m"}`
	for line, ok := range map[string]bool{
		header: true,
		dead:   true,
		`{"kind":"dropped","seq":9,"time":3,"lost":2}`: true,

		`{"kind":"worked","seq":1,"time":0,"actor":"a","actor_kind":"k","work":{"span_ns":1,"actors":1,"handled":1,"busy_ns":1,"busiest_ns":1,"waiting_ns":0,"waits":{"0":1},"service":{"3":1},"flows":[{"message":"M","count":1,"busy_ns":1}]}}`:  true,
		`{"kind":"worked","seq":1,"time":0,"actor":"a","actor_kind":"k","work":{"span_ns":1,"actors":1,"handled":1,"busy_ns":1,"busiest_ns":1,"waiting_ns":0,"waits":{"-1":1},"service":{"3":1},"flows":[{"message":"M","count":1,"busy_ns":1}]}}`: false,
		`{"kind":"worked","seq":1,"time":0,"actor":"a","actor_kind":"k"}`: false,

		`{"kind":"born","seq":1,"time":0,"actor":"a"}`:                                               false,
		`{"seq":1,"time":0}`:                                                                         false,
		`{"kind":"dropped","seq":9,"time":3}`:                                                        false,
		`{"kind":"dropped","seq":9,"time":3,"lost":2,"actor":"a"}`:                                   false,
		`{"kind":"dead_letter","seq":0,"time":0,"actor":"a","message_type":"m"}`:                     false,
		`{"kind":"dead_letter","seq":1,"time":-1,"actor":"a","message_type":"m"}`:                    false,
		`{"kind":"dead_letter","seq":1,"time":0.5,"actor":"a","message_type":"m"}`:                   false,
		`{"kind":"started","seq":1,"time":0,"actor":"a","actor_kind":"k","incarnation":1}`:           false,
		`{"kind":"note","seq":1,"time":0,"actor":"a","actor_kind":"k","note":"n","detail":{"a":[]}}`: false,
		`{"kind":"header","version":"kouzui-trace/2"}`:                                               false,
	} {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(line)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// stuck is a writer whose writes wait until it is opened.
type stuck struct {
	bytes.Buffer
	open chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.open
	return s.Buffer.Write(p)
}

// TestAStuckFileHoldsNobodyUp records more events than the backlog holds while
// the writer is stuck: the actors go on, and the file counts the events that it
// lost.
func TestAStuckFileHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{open: make(chan struct{})}
		file := trace.NewFile(out, trace.Header{Run: "r", Build: "b", Clock: "virtual", StartedAt: time.Now()})
		recent := trace.NewRecent(1)
		s := newStorm(t, file, recent)
		const remarks = 20000
		for range remarks {
			s.tell("root/stop/0", &remark{})
		}
		s.tell("root/stop/0", &crash{"at the end"})
		synctest.Wait()
		if n := recent.Events()[0].Seq; n < remarks {
			t.Fatalf("the actors stand still after %d events", n)
		}
		s.over(t)
		if err := file.Close(); !errors.Is(err, trace.ErrUnfinished) {
			t.Errorf("closed with %v while nothing could be written", err)
		}
		close(out.open)
		synctest.Wait()
		if err := file.Close(); err != nil {
			t.Errorf("closed with %v", err)
		}

		r, err := trace.Read(&out.Buffer)
		if err != nil {
			t.Fatal(err)
		}
		accounted, lost := uint64(0), 0
		for e := range r.Events() {
			accounted++
			if e.Kind == event.Dropped {
				accounted += uint64(e.Lost) - 1
				lost += e.Lost
			}
			if e.Seq != accounted {
				t.Fatalf("event %d after %d are accounted for", e.Seq, accounted)
			}
		}
		if total := recent.Events()[0].Seq; accounted != total || lost == 0 || r.Err() != nil {
			t.Errorf("%d events of %d are accounted for, %d lost, %v", accounted, total, lost, r.Err())
		}
	})
}

// TestTheSamplesAreTraces checks the sample traces against the schema.
func TestTheSamplesAreTraces(t *testing.T) {
	schema := compiled(t)
	samples, err := filepath.Glob("../../../testdata/*.trace")
	if err != nil || len(samples) == 0 {
		t.Fatal("no samples", err)
	}
	for _, path := range samples {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(raw) {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				t.Fatalf("%s: %s%v", path, line, err)
			}
		}
	}
}
