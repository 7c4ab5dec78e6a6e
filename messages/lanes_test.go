package messages

import (
	"reflect"
	"regexp"
	"testing"
)

// What comes from a connection is what the docs say is sent by a link or a
// peer.
func TestWhatComesFromAConnection(t *testing.T) {
	docs, _ := documented(t)
	sent := regexp.MustCompile(`^(a )?(link|peer) to `)
	for _, one := range all {
		m := reflect.New(reflect.TypeOf(one))
		name := m.Elem().Type().Name()
		if got, want := OfConnection(m.Interface()), sent.MatchString(docs[name]); got != want {
			t.Errorf("%s: %v, but its doc begins %.40q", name, got, docs[name])
		}
		if MayBeDropped(m.Interface()) && name != "PeerRates" {
			t.Errorf("%s may be dropped", name)
		}
	}
}
