package tool

import (
	"slices"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []string{"download", "seed", "seed", "fanout"}
	for names, want := range map[string][]string{
		"":              all,
		"seed,download": {"seed", "seed", "download"},
		"fanout":        {"fanout"},
	} {
		if got, err := Choose("part", all, names, func(s string) string { return s }); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
	_, err := Choose("part", all, "download,upload", func(s string) string { return s })
	if err == nil || err.Error() != `there is no part "upload"; there are download, seed, fanout` {
		t.Error(err)
	}
}
