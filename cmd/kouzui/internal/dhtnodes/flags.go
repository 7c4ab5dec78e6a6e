package dhtnodes

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kouzui"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/flags"
)

// Flags are --dht and --dht-bootstrap, of commands that need not use the DHT.
type Flags struct {
	mode      *string
	bootstrap Flag
}

// Bind adds the flags to set, which is of c; purpose says for what the DHT is.
func (f *Flags) Bind(c *cobra.Command, set *pflag.FlagSet, purpose string) {
	f.mode = flags.Choose(c, "dht", "`WHEN` to "+purpose+": %s; auto does so unless all trackers and peers that are named are on this machine",
		string(kouzui.DHTAuto), string(kouzui.DHTOn), string(kouzui.DHTOff))
	f.bootstrap.Bind(set)
}

// Mode is --dht.
func (f *Flags) Mode() kouzui.DHTMode { return kouzui.DHTMode(*f.mode) }

// TurnOff is --dht off, whatever the flags say.
func (f *Flags) TurnOff() { *f.mode = string(kouzui.DHTOff) }

// Validate refuses values that contradict each other or make no sense. proxied:
// all goes through a proxy.
func (f *Flags) Validate(proxied bool) error {
	nodes, err := f.bootstrap.Nodes()
	if proxied && (f.Mode() == kouzui.DHTOn || len(nodes) > 0) {
		return exit.Usagef("", "the DHT does not go through a proxy: --proxy excludes --dht on and --dht-bootstrap")
	}
	if err == nil && len(nodes) > 0 && f.Mode() == kouzui.DHTOff {
		err = exit.Usagef("", "--dht-bootstrap is of no use with --dht off")
	}
	return err
}

// Begin is the function Begin with the nodes of --dht-bootstrap. With --dht off
// there is no DHT, and all is nil.
func (f *Flags) Begin(host string, warn func(string)) (*kouzui.DHT, *Keeper) {
	if f.Mode() == kouzui.DHTOff {
		return nil, nil
	}
	nodes, _ := f.bootstrap.Nodes() // Validate has found no fault
	return Begin(nodes, host, warn)
}
