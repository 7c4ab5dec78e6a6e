package lab

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"

	"kouzui/actors/runtime/work"
)

// What a calibration could not see is said, and stands in the table all the
// same.
func TestCalibrateSaysWhatItHasNotSeen(t *testing.T) {
	c := &cobra.Command{}
	var out, warnings bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&warnings)
	costs := []work.Cost{{Kind: "peer", Message: "PeerRates", Time: 1}, {Kind: "hash", Message: "Batch", KiB: 1}, {Kind: work.Link, Message: work.Sent}}
	if err := new(calibration).write(c, &work.Table{Machine: "m", Cost: costs}); err != nil {
		t.Fatal(err)
	}
	const want = "kouzui: warning: the cost of link sent could not be told from other work on this machine, and is 0 in the table\n"
	if got := warnings.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if table, err := work.ReadTable(out.String()); err != nil || len(table.Cost) != len(costs) {
		t.Errorf("%v: %s", err, out.String())
	}
}
