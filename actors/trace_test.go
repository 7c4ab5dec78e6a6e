package actors_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kouzui/actors"
	"kouzui/actors/lab/stage"
	"kouzui/actors/runtime/event"
	"kouzui/actors/runtime/trace"
	"kouzui/messages"
)

// TestTheNotesOfADownload looks for what the actors of a download and of its
// seed note in their trades, and holds both traces to the schema.
func TestTheNotesOfADownload(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../testdata/kouzui-trace-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	torrent, data := stage.Torrent(t, 1<<20, 256<<10)
	began := time.Now()
	seeder, addr := seed(t, torrent, data, actors.Options{})
	tracked := *torrent // the seed reads the other one
	tracked.Announce = [][]string{{trackerOf(t, addr)}}
	n := start(t, actors.Options{})
	seeder.Tree().TakeNotes(true)
	n.Tree().TakeNotes(true)
	n.add(&tracked, messages.TorrentOptions{Dir: t.TempDir()})
	await(n, func(*messages.TorrentDone) bool { return true })

	notes := map[string]int{}
	for _, client := range []*node{seeder, n} {
		var out bytes.Buffer
		file := trace.NewFile(&out, trace.Header{Run: "r", Build: "b", Clock: "real", StartedAt: began})
		for _, e := range client.Trace.Events() {
			file.Record(e)
			if e.Kind == event.Note {
				notes[e.Note]++
			}
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err == nil {
				err = schema.Validate(v)
			}
			if err != nil {
				t.Fatalf("%s%v", line, err)
			}
		}
	}
	if notes["piece_verified"] != torrent.PieceCount() {
		t.Errorf("%d pieces are noted, want %d", notes["piece_verified"], torrent.PieceCount())
	}
	for _, want := range []string{"announce", "announce_replied", "unchoke"} {
		if notes[want] == 0 {
			t.Errorf("nobody noted %s: %v", want, slices.Collect(maps.Keys(notes)))
		}
	}
}

// TestTheWorkOfADownload looks at who worked, for whom and how much.
func TestTheWorkOfADownload(t *testing.T) {
	torrent, data := stage.Torrent(t, 8<<20, 256<<10)
	_, addr := seed(t, torrent, data, actors.Options{})
	tracked := *torrent // the seed reads the other one
	tracked.Announce = [][]string{{trackerOf(t, addr)}}
	n := start(t, actors.Options{Sample: time.Minute})
	n.add(&tracked, messages.TorrentOptions{Dir: t.TempDir()})
	await(n, func(*messages.TorrentDone) bool { return true })
	n.Tree().RecordWork()

	work := map[string]*event.Work{}
	for _, e := range n.Trace.Events() {
		if e.Kind == event.Worked {
			work[e.ActorKind] = e.Work
		}
	}
	hash := work["hash"]
	if hash == nil || len(hash.Flows) != 1 {
		t.Fatalf("the hash workers: %+v", hash)
	}
	if f := hash.Flows[0]; f.From != "store" || f.Message != "Batch" || f.Bytes != uint64(torrent.Length) || f.Busy <= 0 {
		t.Errorf("%d bytes are hashed for the store: %+v", torrent.Length, f)
	}
	if cpu := work["processor"]; cpu == nil || !cpu.Device || cpu.Busy <= 0 {
		t.Errorf("the processor: %+v", cpu)
	}
	senders := []string{"world", ""}
	for _, e := range n.Trace.Events() {
		senders = append(senders, e.ActorKind)
	}
	for kind, w := range work {
		for _, f := range w.Flows {
			if !slices.Contains(senders, f.From) {
				t.Errorf("%s sends %s to %s, and is no kind of actor", f.From, f.Message, kind)
			}
		}
	}
}
