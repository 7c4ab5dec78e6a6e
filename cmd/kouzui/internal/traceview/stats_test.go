package traceview

import (
	"fmt"
	"strings"
	"testing"

	"kouzui/actors/runtime/work"
)

// No section of the statistics goes missing without a word.
func TestStatsSayWhatIsLeftOut(t *testing.T) {
	many := &Stats{Waited: slowest + 2, Work: []work.Worker{{Kind: "store", Actors: 1}, {Kind: "peer", Handled: 1}}}
	for i := range slowest {
		many.Mailboxes = append(many.Mailboxes, Slow{Actor: fmt.Sprint("peer-", i), Waited: 9})
	}
	for range mostFlows + 1 {
		many.Flows = append(many.Flows, work.Flow{From: "peer", To: "store", Message: "StoreBlocks", Count: 1})
	}
	for name, tt := range map[string]struct {
		stats *Stats
		says  []string
	}{
		"nothing": {&Stats{}, []string{"work: none was measured", "slowest mailboxes: none was seen to hold messages up"}},
		"no flows": {&Stats{Work: []work.Worker{{Kind: "store"}}}, []string{
			"store        0 0.0 %   0.0 %     0      -    -      -     -", "who sends what to whom: no message was measured",
		}},
		"much": {many, []string{"1 flow more, which --json has", "2 others waited less"}},
	} {
		var b strings.Builder
		if err := tt.stats.Write(&b, false, 80); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.says {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, b.String())
			}
		}
	}
}
