package job

import (
	"reflect"
	"strings"
	"testing"
)

func TestMessagesAreReadAsTheyWereWritten(t *testing.T) {
	played := Played{Job: `{"seed":18446744073709551615}`, Outcome: `{"values":[0.1,null],"failure":"a \u003c b"}`}
	for _, m := range []Remote{
		{Join: &Join{"id", "host:1", "build"}},
		{Welcome: &Welcome{`{"name":"x"}`}},
		{Ready: &Ready{Digest: "d", Plays: played.Job, Last: &played}},
		{Ready: &Ready{Digest: "d"}},
		{Play: &Play{played.Job}},
		{Played: &played},
		{Leave: &Leave{}},
		{Dismiss: &Dismiss{"why"}},
	} {
		text, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(text); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%s is read as %+v: %v", text, got, err)
		}
	}
}

func TestWhatOthersSendIsBounded(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	quoted := func(n int) string { return `"` + long(n) + `"` }
	for name, text := range map[string]string{
		"a message":      `{"welcome":{"experiment":` + quoted(MaxRemote) + `}}`,
		"an id":          `{"join":{"id":` + quoted(maxName+1) + `}}`,
		"a label":        `{"join":{"worker":` + quoted(maxName+1) + `}}`,
		"a build":        `{"join":{"build":` + quoted(maxName+1) + `}}`,
		"a digest":       `{"ready":{"digest":` + quoted(maxName+1) + `}}`,
		"what it plays":  `{"ready":{"plays":` + quoted(MaxOutcome) + `}}`,
		"what was last":  `{"ready":{"last":{"job":1,"outcome":` + quoted(MaxOutcome) + `}}}`,
		"a job":          `{"play":{"job":` + quoted(MaxOutcome) + `}}`,
		"a job played":   `{"played":{"job":` + quoted(MaxOutcome) + `}}`,
		"an outcome":     `{"played":{"job":1,"outcome":` + quoted(MaxOutcome) + `}}`,
		"a reason":       `{"dismiss":{"reason":` + quoted(maxReason+1) + `}}`,
		"no JSON":        `{`,
		"nothing":        `{}`,
		"two":            `{"leave":{},"join":{}}`,
		"something else": `[]`,
	} {
		if m, err := Decode(text); err == nil {
			t.Errorf("%s passes: %.100v", name, m)
		}
	}
}
