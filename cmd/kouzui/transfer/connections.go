package transfer

import (
	"fmt"

	"github.com/spf13/cobra"
)

// ownFiles is how many open files the program needs beside connections and
// data.
const ownFiles = 24

// connections is how many connections with peers there may be: at most half of
// the files that may be open, so that the other half is left for the data.
func (o *options) connections(c *cobra.Command, files int, warn func(string)) int {
	most := o.maxConnections
	if !c.Flag("max-connections").Changed {
		most = max(most, 2*o.maxPeers)
	}
	if room := max((files-ownFiles)/2, 1); room < most {
		warn(fmt.Sprintf("this process may open only %d files at once, so it makes at most %d connections", files, room))
		return room
	}
	return most
}
