package flags

import (
	"context"
	"errors"
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
	f.Var(filled{&s.Addr}, "bind", "bind "+what)
	f.Var(filled{&s.Device}, "interface", "bind to the network interface `NAME`, likewise")
}

// filled is a text that is not empty once it is given. An empty one comes of a
// variable that a script failed to set, and would leave all unbound.
type filled struct{ text *string }

func (v filled) String() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Type implements pflag.Value.
func (filled) Type() string { return "string" }

// Set implements pflag.Value.
func (v filled) Set(text string) error {
	if text == "" {
		return errors.New("is empty, and so would bind nothing")
	}
	*v.text = text
	return nil
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
