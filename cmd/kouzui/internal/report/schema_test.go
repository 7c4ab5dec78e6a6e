package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"kouzui"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kouzui/actors/runtime/event"
	"kouzui/messages"
	"kouzui/wire/metainfo"
)

const schemaFile = "../../../../testdata/kouzui-json-1.schema.json"

// events are all that a report can have; of each there is one with all fields
// that may be missing.
func events() (list []map[string]any, raw []byte) {
	at := time.Unix(1_000_000_000, 0)
	var out bytes.Buffer
	l := New(&out, func() time.Time { return at })
	torrent := &metainfo.Torrent{Name: "a", Announce: [][]string{{"http://t.example/announce"}, {}}, Length: 1, PieceLength: 1}
	l.Meta(torrent, "/data")
	for _, e := range []any{
		kouzui.Progress{Status: kouzui.Status{State: kouzui.StateDownloading, Left: 6, Chosen: 7, DownNow: 3, Why: "All peers choke us.", CheckDone: 1, CheckTotal: 2, SuperSeeding: true, DHTNodes: 5, Encrypted: 1, Sources: everySource()}},
		kouzui.Progress{Status: kouzui.Status{State: kouzui.StateDiskFull}},
		kouzui.Progress{Status: kouzui.Status{State: kouzui.StateMetadata, Metadata: messages.MetadataProgress{Size: 20000, Received: 16384, Peers: 3, Failed: 1}}},
		kouzui.PiecesVerified{Pieces: []uint32{1}},
		kouzui.Completed{},
		kouzui.Announced{Replied: &messages.TrackerReplied{URL: "http://a", Warning: "w", Next: at}},
		kouzui.Announced{Failed: &messages.TrackerFailed{URL: "http://b", Phase: "failure reason", Err: errors.New("full")}},
		&event.Event{Kind: event.Started, Actor: "peer-1", ActorKind: "peer"},
		&event.Event{Kind: event.Stopped, Actor: "peer-1", ActorKind: "peer", Reason: "closed"},
		&event.Event{Kind: event.Failed, Actor: "store", Reason: "a bug"},
		&event.Event{Kind: event.Restarted, Actor: "store", Incarnation: 2, Down: time.Second},
	} {
		l.Event(e)
	}
	l.Warning("w")
	l.Torrent(torrent, "a", true, 0, nil, Totals{})
	l.Torrent(torrent, "a", false, 9, errors.New("full"), Totals{Blocked: 1})
	l.End(0, nil, Totals{Blocked: 1})
	l.End(9, errors.New("full"), Totals{Blocked: 1})
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			panic(err)
		}
		list = append(list, m)
	}
	return list, out.Bytes()
}

// everySource counts peers of each kind of source.
func everySource() (counts []messages.SourceCount) {
	for _, kind := range messages.SourceKinds() {
		counts = append(counts, messages.SourceCount{Kind: kind, Connected: 1, Known: 2})
	}
	return counts
}

// TestSchema: every event is as the schema says, and has every field that the
// schema knows of its type.
func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	list, raw := events()
	for line := range strings.Lines(string(raw)) {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s%v", line, err)
		}
	}
	written := map[string]map[string]bool{}
	for _, m := range list {
		kind := m["type"].(string)
		if written[kind] == nil {
			written[kind] = map[string]bool{}
		}
		for key := range m {
			written[kind][key] = true
		}
	}
	for kind, d := range definitions(t) {
		for key := range d.Properties {
			if written[kind] != nil && !written[kind][key] {
				t.Errorf("%s has no %s", kind, key)
			}
		}
		if of := string(d.AllOf); strings.Contains(of, "/head") && written[kind] == nil {
			t.Errorf("%s is never written", kind)
		}
	}
}

type definition struct {
	Properties map[string]struct {
		Enum        []string
		Description string
	}
	AllOf json.RawMessage
}

func definitions(t *testing.T) map[string]definition {
	t.Helper()
	var schema struct {
		Defs map[string]definition `json:"$defs"`
	}
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Defs
}

// TestPage: the page about JSON has a section for every type of the schema,
// with a row for every field and what the schema says of the field.
func TestPage(t *testing.T) {
	raw, err := os.ReadFile("../../../../docs/JSON.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, d := range definitions(t) {
		section := string(raw) // of what is no type of its own
		_, own, headed := strings.Cut(section, "\n### `"+kind+"`")
		if headed {
			section, _, _ = strings.Cut(own, "\n#")
		} else if strings.Contains(string(d.AllOf), "/head") {
			t.Errorf("nothing is said of %s", kind)
		}
		for key, field := range d.Properties {
			if key == "type" {
				continue // the section is called so
			}
			has := func(line string) bool {
				return strings.HasPrefix(line, "| `"+key+"` |") && strings.HasSuffix(line, "| "+field.Description+" |\n")
			}
			if !slices.ContainsFunc(slices.Collect(strings.Lines(section)), has) {
				t.Errorf("%s of %s is not said to be %q", key, kind, field.Description)
			}
		}
	}
}

// TestStates: the schema knows the states that a torrent has.
func TestStates(t *testing.T) {
	known := definitions(t)["progress"].Properties["state"].Enum
	for _, s := range []kouzui.State{
		kouzui.StateStarting, kouzui.StateMetadata, kouzui.StateChecking, kouzui.StateDownloading, kouzui.StateFinishing,
		kouzui.StateSeeding, kouzui.StateDiskFull, kouzui.StateRestarting, messages.StateStopping, kouzui.StateStopped,
	} {
		if !slices.Contains(known, string(s)) {
			t.Errorf("no state %q", s)
		}
	}
}
