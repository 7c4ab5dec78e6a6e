package flags

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"kouzui/actors/world/real"
	"kouzui/cmd/kouzui/internal/exit"
	"kouzui/cmd/kouzui/internal/load"
	"kouzui/wire/metainfo"
)

// Source is --bind, --interface and --proxy: where all that leaves is bound,
// and by which proxy it leaves.
type Source struct {
	Addr, Device string
	Proxy        string // with a password, perhaps
}

// Proxied tells whether --proxy is given. Then nothing leaves but connections.
func (s *Source) Proxied() bool { return s.Proxy != "" }

// Bind adds the flags. what is bound is said in the help.
func (s *Source) Bind(f *pflag.FlagSet, what string) {
	f.Var(filled{text: &s.Addr, so: "would bind nothing"}, "bind", "bind "+what)
	f.Var(filled{text: &s.Device, so: "would bind nothing"}, "interface", "bind to the network interface `NAME`, likewise")
	f.Var(filled{text: &s.Proxy, so: "nothing would go through it", shown: metainfo.MaskURL}, "proxy", "connect through the SOCKS5 proxy `URL`, socks5://[USER:PASSWORD@]HOST:PORT, which also looks names up; what cannot go through it is off: datagrams (UDP), and so the DHT")
}

// filled is a text that is not empty once it is given. An empty one comes of a
// variable that a script failed to set, and would leave all unbound.
type filled struct {
	text  *string
	so    string              // what an empty one would do
	shown func(string) string // hides what is secret; nil: nothing is
}

// String is what traces show, too.
func (v filled) String() string {
	switch {
	case v.text == nil:
		return ""
	case v.shown != nil && *v.text != "":
		return v.shown(*v.text)
	}
	return *v.text
}

// Type implements pflag.Value.
func (filled) Type() string { return "string" }

// Set implements pflag.Value.
func (v filled) Set(text string) error {
	if text == "" {
		return errors.New("is empty, and so " + v.so)
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
	if source, addr, err = s.bound(); err != nil {
		return nil, addr, err
	}
	if s.Proxied() {
		proxy, err := real.ParseProxy(s.Proxy)
		if err != nil {
			return nil, addr, exit.Usagef("", "--proxy %w", err)
		}
		source = source.Through(proxy)
	}
	if resolver := source.LocalResolver(ctx); resolver.IsValid() {
		flag := "--bind " + s.Addr
		if s.Device != "" {
			flag = "--interface " + s.Device
		}
		warn(fmt.Sprintf("%s does not bind all look-ups of names: the system has them done by %v on this machine, which asks on from where it likes", flag, resolver))
	}
	return source, addr, nil
}

func (s *Source) bound() (source *real.Source, addr netip.Addr, err error) {
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
		if source, err = real.NewSource(addr, s.Device); err != nil {
			return nil, addr, exit.Usagef("", "--interface: %w", err)
		}
	}
	return source, addr, nil
}

// Greet tells early that the proxy of the source, if there is one, does not let
// us in: else each peer and tracker would be said to fail. warn is told of a
// proxy that is not heeded.
func (s *Source) Greet(ctx context.Context, source *real.Source, warn func(string)) error {
	if name := allProxy(); name != "" && !s.Proxied() {
		warn(name + " is not heeded; --proxy or KOUZUI_PROXY names a proxy for all that leaves")
	}
	err := source.Greet(ctx)
	if err != nil && ctx.Err() != nil {
		return load.Why(ctx)
	}
	if err != nil {
		return exit.With(exit.Network, fmt.Errorf("--proxy: %w", err))
	}
	return nil
}

// allProxy is the variable of the environment by which other programs are told
// of a SOCKS proxy for all protocols; empty: it is not set. A program that
// heeded it without a word would keep what a user of it does not expect off.
func allProxy() string {
	for _, name := range []string{"ALL_PROXY", "all_proxy"} {
		if strings.HasPrefix(os.Getenv(name), "socks") {
			return name
		}
	}
	return ""
}
