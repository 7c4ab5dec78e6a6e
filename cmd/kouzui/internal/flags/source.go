package flags

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
)

// Source is --bind and --interface: where all that leaves is bound.
type Source struct{ Addr, Device string }

// Bind adds the flags. what is bound is said in the help.
func (s *Source) Bind(f *pflag.FlagSet, what string) {
	f.StringVar(&s.Addr, "bind", "", "bind "+what)
	f.StringVar(&s.Device, "interface", "", "bind to the network interface `NAME`, likewise")
}

// BindFetch adds the flags to a command that may fetch torrents by URL, and
// uses the network for nothing else.
func (s *Source) BindFetch(f *pflag.FlagSet) {
	s.Bind(f, "to the address `ADDR` of this machine what fetches a torrent by URL, look-ups of names included")
}

// Open checks that the flags can be obeyed. A nil source leaves the choice to
// the system. warn is told what is not bound.
func (s *Source) Open(ctx context.Context, warn func(string)) (source *real.Source, addr netip.Addr, err error) {
	flag := "--bind " + s.Addr
	switch {
	case s.Addr != "" && s.Device != "":
		return nil, addr, exit.Usagef("", "--bind and --interface exclude each other")
	case s.Addr != "":
		if addr, err = netip.ParseAddr(strings.Trim(s.Addr, "[]")); err != nil || addr.IsUnspecified() {
			return nil, addr, exit.Usagef("", "--bind %q must be an address of this machine", s.Addr)
		}
		if source, err = real.NewSource(addr, ""); err != nil {
			return nil, addr, exit.Usagef("", "--bind: %w", err)
		}
	case s.Device != "":
		flag = "--interface " + s.Device
		if source, err = real.NewSource(addr, s.Device); err != nil {
			return nil, addr, exit.Usagef("", "--interface: %w", err)
		}
	}
	if resolver := source.LocalResolver(ctx); resolver.IsValid() {
		warn(fmt.Sprintf("%s does not bind all look-ups of names: the system has them done by %v on this machine, which asks on from where it likes", flag, resolver))
	}
	return source, addr, nil
}
