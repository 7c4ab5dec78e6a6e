package transfer

import (
	"kouzui"
	"testing"

	"github.com/spf13/cobra"
)

func TestHowManyConnectionsThereMayBe(t *testing.T) {
	for _, c := range []struct {
		args  []string
		files int
		want  int
		warns bool
	}{
		{nil, 100_000, kouzui.DefaultConnections, false},
		{[]string{"--max-peers", "2000"}, 100_000, 4000, false},
		{[]string{"--max-peers", "2000", "--max-connections", "500"}, 100_000, 500, false},
		{[]string{"--max-connections", "7"}, 100_000, 7, false},
		{[]string{"--max-connections", "7"}, 64, 7, false},
		{nil, 64, 20, true},
		{nil, 10, 1, true},
		{[]string{"--max-connections", "4000"}, 1024, 500, true},
	} {
		command, warned := &cobra.Command{}, false
		var flags options
		flags.bind(command)
		if err := command.ParseFlags(c.args); err != nil {
			t.Fatal(err)
		}
		got := flags.connections(command, c.files, func(string) { warned = true })
		if got != c.want || warned != c.warns {
			t.Errorf("%v with %d files: %d connections, warned %v", c.args, c.files, got, warned)
		}
	}
}
